package room

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestGiftHeap: against a slice that is sorted anew each time.
func TestGiftHeap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := giftHeap{seat: seatQueue, before: func(a, b *openGift) bool { return a.order < b.order }}
		var twin []*openGift
		orders := rapid.Permutation(slices.Collect(seq(40))).Draw(t, "orders")
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				if len(orders) == 0 {
					return
				}
				g := &openGift{order: orders[0]}
				orders = orders[1:]
				h.push(g)
				twin = append(twin, g)
			},
			"remove": func(t *rapid.T) {
				if len(twin) == 0 {
					return
				}
				g := rapid.SampledFrom(twin).Draw(t, "gift")
				h.remove(g)
				twin = slices.DeleteFunc(twin, func(o *openGift) bool { return o == g })
				if h.holds(g) {
					t.Fatal("a removed gift is held")
				}
			},
			"fix": func(t *rapid.T) {
				if len(twin) == 0 || len(orders) == 0 {
					return
				}
				g := rapid.SampledFrom(twin).Draw(t, "gift")
				g.order, orders = orders[0], orders[1:]
				h.fix(g)
			},
			"rebuild": func(*rapid.T) {
				for _, g := range twin {
					g.order = 1000 - g.order
				}
				h.rebuild()
			},
			"": func(t *rapid.T) {
				if h.len() != len(twin) {
					t.Fatalf("%d gifts, want %d", h.len(), len(twin))
				}
				if len(twin) == 0 {
					return
				}
				first := slices.MinFunc(twin, func(a, b *openGift) int { return int(a.order) - int(b.order) })
				if h.top().order != first.order {
					t.Fatalf("top is %d, want %d", h.top().order, first.order)
				}
				for _, g := range twin {
					if !h.holds(g) {
						t.Fatal("a gift is not held")
					}
				}
			},
		})
	})
}

func seq(n uint64) func(func(uint64) bool) {
	return func(yield func(uint64) bool) {
		for i := uint64(1); i <= n && yield(i); i++ {
		}
	}
}

func TestFifo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q fifo[int]
		var twin []int
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 3, 200}).Draw(t, "n") {
					next++
					q.push(next)
					twin = append(twin, next)
				}
			},
			"pop": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 2, 150}).Draw(t, "n") {
					if len(twin) == 0 {
						return
					}
					if got := *q.front(); got != twin[0] {
						t.Fatalf("front %d, want %d", got, twin[0])
					}
					if got := q.pop(); got != twin[0] {
						t.Fatalf("popped %d, want %d", got, twin[0])
					}
					twin = twin[1:]
				}
			},
			"push front": func(*rapid.T) {
				q.pushFront([]int{-1, -2})
				twin = append([]int{-1, -2}, twin...)
			},
			"": func(t *rapid.T) {
				if q.len() != len(twin) {
					t.Fatalf("%d elements, want %d", q.len(), len(twin))
				}
				if q.head > 64 && q.head > len(q.items)/2 {
					t.Fatalf("%d of %d places are wasted", q.head, len(q.items))
				}
			},
		})
	})
}
