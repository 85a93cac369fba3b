package room

import "time"

// never is later than every moment.
const never = time.Duration(1<<63 - 1)

// birth is what a gift's age is counted from.
type birth struct {
	storedAt  int64         // the journal's wall clock, Unix ms
	ageAtRead time.Duration // when the owner read it
	readAt    time.Duration // Mono
}

// age is the larger of what the two clocks say. A wall clock that jumps back makes
// nothing young, because the monotonic part goes on; one that jumps ahead makes gifts
// old, which costs a query, never a second effect (P3).
func (b birth) age(now Now) time.Duration {
	byWall := time.Duration(now.Wall-b.storedAt) * time.Millisecond
	byMono := b.ageAtRead + now.Mono - b.readAt
	return max(byWall, byMono)
}

// reaches is the Mono time at which the gift will be that old, unless the wall clock
// jumps.
func (b birth) reaches(age time.Duration, now Now) time.Duration {
	return now.Mono + age - b.age(now)
}
