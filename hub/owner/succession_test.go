package owner_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/giftwire/giftwire/hub/journal"
	"github.com/giftwire/giftwire/hub/owner"
	"github.com/giftwire/giftwire/hub/owner/ownertest"
)

// P6: owners that follow each other too closely leave no room in ZEGO's budget for the
// first calls of each, so the last one waits for a second; one that follows in good order
// does not make the rooms wait (P14).
func TestQuickSuccessionWaits(t *testing.T) {
	const crash, release = true, false
	tests := []struct {
		name   string
		ends   []bool          // how the owners before ended
		lasted []time.Duration // and how long after their takeover
		wait   time.Duration
	}{
		{"released at once", []bool{release}, []time.Duration{0}, time.Second},
		{"released within 2 s", []bool{release}, []time.Duration{1400 * time.Millisecond}, 600 * time.Millisecond},
		{"released within a second", []bool{release}, []time.Duration{900 * time.Millisecond}, time.Second},
		{"released after 2 s", []bool{release}, []time.Duration{2100 * time.Millisecond}, 0},
		{"crashed after 2 s", []bool{crash}, []time.Duration{2100 * time.Millisecond}, 0},
		{"a rolling restart", []bool{release, release, release}, []time.Duration{time.Minute, 3 * time.Second, 3 * time.Second}, 0},
		// The one before the last may have a call in flight for 5 s yet.
		{"crashed, and released", []bool{crash, release}, []time.Duration{time.Minute, 5500 * time.Millisecond}, 500 * time.Millisecond},
		{"crashed, and released later", []bool{crash, release}, []time.Duration{time.Minute, 6100 * time.Millisecond}, 0},
		{"crashed twice", []bool{crash, crash}, []time.Duration{time.Minute, 3 * time.Second}, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, zego := ownertest.NewStore(), newPlatform()
				for i, crashes := range tt.ends {
					o := own(t, store, zego)
					time.Sleep(tt.lasted[i])
					end(t, store, o, crashes)
				}
				taken := time.Now()
				o := own(t, store, zego)
				store.Accept(entryOf(gift("ann", "c1")))
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if len(zego.startsAt) != 1 {
					t.Fatalf("%d calls, want 1", len(zego.startsAt))
				}
				// A tick is 100 ms.
				if got := zego.startsAt[0].Sub(taken); got < tt.wait || got > tt.wait+100*time.Millisecond {
					t.Errorf("the first call came %v after the takeover, want %v and a tick at most", got, tt.wait)
				}
				o.release(t)
			})
		})
	}
}

// A node that has to give a partition up while it takes it over releases it all the same:
// else nobody would take it as long as that node lives.
func TestTakeoverIsEndedAndReleased(t *testing.T) {
	for _, op := range []ownertest.Op{ownertest.OpAppendOutcome, ownertest.OpLoadChunks, ownertest.OpReadOutcomes} {
		t.Run(string(op), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, zego := ownertest.NewStore(), newPlatform()
				first := own(t, store, zego)
				store.Accept(entryOf(gift("ann", "c1")))
				time.Sleep(time.Second)
				first.release(t)

				reached, goOn := make(chan struct{}), make(chan struct{})
				store.Hook(ownertest.Hooks{After: func(now ownertest.Op) error {
					if now == op {
						select {
						case <-reached:
						default:
							close(reached)
							<-goOn
						}
					}
					return nil
				}})
				o := own(t, store, zego, func(c *owner.Config) { c.Incarnation = "second" })
				<-reached
				o.stop()
				synctest.Wait()
				close(goOn)
				if err := o.wait(t); err != nil {
					t.Errorf("Run ended with %v", err)
				}
				got := kinds(store)
				want := []journal.Kind{journal.KindTakeover, journal.KindRelease}
				if diff := cmp.Diff(want, got[len(got)-2:]); diff != "" {
					t.Errorf("the log ends with (-want +got):\n%s", diff)
				}
				next := own(t, store, zego)
				if state := next.Room("r1"); state.Seq != 1 || state.Totals.Delivered != 1 {
					t.Errorf("%+v", state)
				}
				next.release(t)
			})
		})
	}
}

// P14: rooms do not wait for the snapshot that is stored before a release.
func TestRoomsGoOnUntilTheyAreReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, zego := ownertest.NewStore(), newPlatform()
		o := own(t, store, zego)
		store.Accept(entryOf(gift("ann", "c1")))
		time.Sleep(5 * time.Second)
		store.Hook(ownertest.Hooks{Before: func(op ownertest.Op) error {
			if op == ownertest.OpSaveChunk {
				time.Sleep(400 * time.Millisecond)
			}
			return nil
		}})
		o.stop()
		store.Accept(entryOf(gift("bo", "b1")))
		time.Sleep(300 * time.Millisecond)
		if got := len(zego.sends()); got != 2 {
			t.Errorf("%d gifts sent while the snapshot is stored, want both", got)
		}
		began := time.Now()
		if err := o.wait(t); err != nil {
			t.Errorf("Run ended with %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("released %v later", took)
		}
		next := own(t, store, zego)
		time.Sleep(time.Second)
		if state := next.Room("r1"); state.Totals.Delivered != 2 || state.Open != 0 {
			t.Errorf("%+v", state)
		}
		next.release(t)
	})
}
