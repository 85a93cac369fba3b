package verdict

import (
	"slices"
	"time"
)

// lane is one room and action at the door.
type lane struct{ room, action string }

// door counts calls in every sliding second: the strictest reading of ZEGO's limit.
func (j *judge) door(arrivals []Arrival) {
	times := make(map[lane][]time.Time)
	limits := make(map[lane]int)
	for _, a := range arrivals {
		l := lane{a.Room, a.Action}
		times[l] = append(times[l], a.At)
		limits[l] = a.Limit
	}
	for l, at := range times {
		worst := WorstSecond(at)
		if l.action == giftAction {
			j.Worst = max(j.Worst, worst)
		}
		if worst > limits[l] {
			j.problem("%s: %d calls of %s in one second, ZEGO takes %d", l.room, worst, l.action, limits[l])
		}
	}
}

// giftAction is the action whose worst second the verdict shows.
const giftAction = "SendDanmakuGifts"

// WorstSecond is the most of the times that lie within less than a second.
func WorstSecond(times []time.Time) int {
	times = slices.SortedFunc(slices.Values(times), time.Time.Compare)
	worst, first := 0, 0
	for last := range times {
		for times[last].Sub(times[first]) >= time.Second {
			first++
		}
		worst = max(worst, last-first+1)
	}
	return worst
}
