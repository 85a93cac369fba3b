package journal_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAStoredGiftIsReadBack(t *testing.T) {
	j := running(t)
	e := gift("r1", 1)
	receipt := store(t, j, e)
	recs, err := j.Log(receipt.Partition).ReadGifts(bounded(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(recs) != 1 || recs[0].Seq != receipt.Position.Seq {
		t.Fatalf("got %+v, receipt %+v", recs, receipt)
	}
	if d := cmp.Diff(e, recs[0].Entries[receipt.Position.Index]); d != "" {
		t.Errorf("entry (-stored +read):\n%s", d)
	}
}
