package journal

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// TestEveryFieldIsCompared sets each field of a stream's settings to something
// else, also the ones that a later release of nats.go brings: comparing must
// notice, unless the field is the operator's or only counts at birth.
func TestEveryFieldIsCompared(t *testing.T) {
	ignored := map[string]string{
		"Description": "the operator's",
		"Placement":   "the operator's",
		"Replicas":    "a cluster grows",
		"FirstSeq":    "counts at birth only",
		"Template":    "no longer supported by servers",
	}
	want := wanted(Retention{}.withDefaults(t.Errorf), layout{partitions: 1, epoch: "e"}, time.Minute)[0]
	if d := compareStream(want, want); len(d) > 0 {
		t.Fatalf("the same settings differ: %v", d)
	}
	fields := reflect.TypeFor[jetstream.StreamConfig]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		have := want
		other(t, reflect.ValueOf(&have).Elem().Field(i))
		drifts := compareStream(have, want)
		if _, free := ignored[name]; free != (len(drifts) == 0) {
			t.Errorf("field %s: ignored %v, drifts %v", name, free, drifts)
		}
	}
}

// other changes a value to any other one.
func other(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	case reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), v.Len()+1, v.Len()+1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Struct:
		other(t, v.Field(0))
	default:
		t.Fatalf("no other value of a %s", v.Type())
	}
}

func TestADriftReads(t *testing.T) {
	err := &DriftError{Drifts: []Drift{{"GIFTS", "max_age", "1h0m0s", "26h0m0s"}, {"SNAPS", "stream", "missing", "present"}}}
	if got := err.Error(); !strings.Contains(got, "GIFTS.max_age is 1h0m0s, needed is 26h0m0s; SNAPS.stream is missing") {
		t.Error(got)
	}
}
