// Package intake is the way in: what a gift, a joining comment or a like passes
// before it is durable. Viewers' sessions and the platform API use the same way.
//
// # Guarantees
//
//   - A gift is answered accepted only after the journal has stored it, or when it
//     is stored already under the same id with the same content (P1, P4).
//   - A gift that was handed to the journal is never answered rejected unless the
//     journal says that it is surely not stored; where that cannot be known it is
//     answered [Unknown], and only a repeat under the same id finds out.
//   - What the wallet reserved for a gift that is surely not stored is released
//     before the gift is answered rejected.
//   - Gifts of one caller are journaled in the order of its calls.
package intake
