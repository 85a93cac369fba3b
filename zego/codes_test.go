package zego_test

import (
	"math"
	"slices"
	"testing"

	"github.com/giftwire/giftwire/room"
	"github.com/giftwire/giftwire/zego"
)

// TestCodeClasses holds the mapping of ZEGO.md, "Mapping for the hub".
func TestCodeClasses(t *testing.T) {
	want := map[int]room.Class{
		0:           room.ClassNone,
		7206001:     room.ClassNotStarted,
		7202000:     room.ClassRetry,
		7210000:     room.ClassRetry,
		7210001:     room.ClassRetry,
		7208000:     room.ClassRetry,
		7200004:     room.ClassBadRequest,
		7202001:     room.ClassNoGame,
		7202002:     room.ClassNoGame,
		7202003:     room.ClassConfig,
		7203001:     room.ClassConfig,
		207:         room.ClassRetry,
		100000000:   room.ClassConfig,
		100000004:   room.ClassConfig,
		100000005:   room.ClassConfig,
		100000017:   room.ClassConfig,
		100000999:   room.ClassConfig, // not listed, of the signature layer
		100001000:   room.ClassRetry,
		99999999:    room.ClassRetry,
		1:           room.ClassRetry,
		-1:          room.ClassRetry,
		7206002:     room.ClassRetry,
		math.MaxInt: room.ClassRetry,
		math.MinInt: room.ClassRetry,
	}
	for code, class := range want {
		info, _ := zego.LookupCode(code)
		if info.Class != class || info.Code != code {
			t.Errorf("LookupCode(%d) = %d %v, want %v", code, info.Code, info.Class, class)
		}
	}
}

// TestCodesAreComplete: every code of ZEGO.md section 5, once, ascending, named and
// with advice.
func TestCodesAreComplete(t *testing.T) {
	documented := []int{
		0, 7200004, 7200401, 7201003, 7201005, 7202000, 7202001, 7202002, 7202003, 7203001, 7204002, 7205001,
		7206001, 7206004, 7206005, 7208000, 7210000, 7210001, 100000004, 100000005,
	}
	analogies := []int{206, 207}
	for code := 100000000; code <= 100000017; code++ {
		if !slices.Contains(documented, code) {
			analogies = append(analogies, code)
		}
	}
	got := map[zego.Origin][]int{}
	last := -1
	names := map[string]bool{}
	for _, c := range zego.Codes() {
		got[c.Origin] = append(got[c.Origin], c.Code)
		if c.Code <= last {
			t.Errorf("code %d comes after %d", c.Code, last)
		}
		last = c.Code
		if c.Name == "" || names[c.Name] {
			t.Errorf("code %d has no name of its own: %q", c.Code, c.Name)
		}
		names[c.Name] = true
		if c.Code != 0 && (c.Advice == "" || c.Class == room.ClassNone) {
			t.Errorf("code %d lacks advice or class", c.Code)
		}
		if found, ok := zego.LookupCode(c.Code); !ok || found != c {
			t.Errorf("LookupCode(%d) = %+v, %v", c.Code, found, ok)
		}
	}
	slices.Sort(documented)
	if !slices.Equal(got[zego.Documented], documented) {
		t.Errorf("documented codes %v, want %v", got[zego.Documented], documented)
	}
	if !slices.Equal(got[zego.Analogy], analogies) {
		t.Errorf("codes by analogy %v, want %v", got[zego.Analogy], analogies)
	}
}

func TestCodesIsACopy(t *testing.T) {
	zego.Codes()[1].Class = room.ClassNoGame
	zego.Results()[0].Class = room.ResultOther
	if c, _ := zego.LookupCode(zego.Codes()[1].Code); c.Class != room.ClassRetry {
		t.Error("the table of codes can be changed from outside")
	}
	if r, _ := zego.LookupResult(0); r.Class != room.ResultDelivered {
		t.Error("the table of results can be changed from outside")
	}
}

func TestOriginNames(t *testing.T) {
	if zego.Documented.String() != "documented" || zego.Analogy.String() != "analogy" {
		t.Errorf("%v %v", zego.Documented, zego.Analogy)
	}
}

func TestResultClasses(t *testing.T) {
	want := map[int]room.ResultClass{
		0: room.ResultDelivered, 10003: room.ResultNotJoined, 10004: room.ResultNoSuchGift,
		10005: room.ResultException, 10006: room.ResultPending,
		10001: room.ResultOther, 10002: room.ResultOther, 10007: room.ResultOther, -1: room.ResultOther, 1: room.ResultOther,
	}
	for result, class := range want {
		if info, _ := zego.LookupResult(result); info.Class != class || info.Result != result {
			t.Errorf("LookupResult(%d) = %v, want %v", result, info.Class, class)
		}
	}
	if got := len(zego.Results()); got != 5 {
		t.Errorf("%d results are listed, want 5", got)
	}
}
