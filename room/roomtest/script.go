package roomtest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftwire/giftwire/room"
)

// Script runs the scenario in the file: commands, each followed by a line of "----" and
// the trace that it has to bring about, up to an empty line. Lines that begin with #
// are comments. With rewrite the traces are written anew; commit them only if you
// understand what changed them. A [Twin] judges every step.
//
//	room [flush=100ms] [ttl=60s] [timeout=5s] [join=2s] [owned=-1s] [notbefore=0s] [game=ended]
//	gift USER [COUNTx] [game=G] [age=0s] [recovered]   labels: USER-1, USER-2, ...
//	comment USER TEXT | join USER TEXT | like USER AMOUNT   [game=G]
//	game unknown|running|ended
//	answer ACTION|all delivered|lost|RESULT [LABEL=RESULT ...] | code NUMBER CLASS
//	hold ACTION DURATION
//	auto ACTION|all DURATION ANSWER        answer calls to come by themselves; "auto off"
//	advance DURATION | wall DURATION | stop
//
// RESULT is delivered, not_joined, no_such_gift, exception, pending, other, or none
// (no row).
func Script(t *testing.T, path string, rewrite bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{}
	s.begin(room.CoreConfig{Room: "r1", OwnedSince: -time.Second})
	var out bytes.Buffer
	for _, b := range blocks(text) {
		out.WriteString(b.head)
		if b.commands == nil {
			continue
		}
		s.trace.Reset()
		for _, c := range b.commands {
			if err := s.do(strings.Fields(c)); err != nil {
				t.Fatalf("%s: %s: %v", path, c, err)
			}
		}
		if s.world.Err != nil {
			t.Fatalf("%s: %s: %v", path, b.commands[len(b.commands)-1], s.world.Err)
		}
		got := s.trace.String()
		if got != b.want && !rewrite {
			t.Errorf("%s: %s\ngot:\n%swant:\n%s", path, strings.Join(b.commands, "; "), got, b.want)
		}
		fmt.Fprintf(&out, "----\n%s\n", got)
	}
	if rewrite {
		if err := os.WriteFile(path, append(bytes.TrimRight(out.Bytes(), "\n"), '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// block is some commands and the trace that they have to bring about.
type block struct {
	head     string // the lines up to the trace, as written
	commands []string
	want     string
}

func blocks(text []byte) []block {
	var all []block
	var b block
	inTrace := false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		switch {
		case inTrace && line == "":
			all, b, inTrace = append(all, b), block{}, false
		case inTrace:
			b.want += line + "\n"
		case line == "----":
			inTrace = true
		default:
			b.head += line + "\n"
			if line != "" && line[0] != '#' {
				b.commands = append(b.commands, line)
			}
		}
	}
	return append(all, b)
}

// stage is a world that is told what to do in words.
type stage struct {
	world  *World
	labels map[room.MsgID]string
	count  map[string]int // gifts by user
	auto   map[room.Action]auto
	trace  strings.Builder
}

// auto is how calls are answered by themselves.
type auto struct {
	after time.Duration
	words []string
}

// begin begins a new world; the trace goes on.
func (s *stage) begin(cfg room.CoreConfig) {
	s.labels, s.count, s.auto = make(map[room.MsgID]string), make(map[string]int), make(map[room.Action]auto)
	s.world = NewWorld(cfg, 1_795_449_600_000)
	s.world.Each = s.note
	s.world.Platform = func(_ *World, c room.Call) (room.Answer, time.Duration, bool) {
		a, ok := s.auto[c.Action]
		if !ok {
			return room.Answer{}, 0, false
		}
		answer, err := s.answer(c, a.words)
		if err != nil {
			s.world.Err = err
		}
		return answer, a.after, true
	}
}

// do runs one command.
func (s *stage) do(words []string) error {
	args, opts := split(words[1:])
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	game := opts["game"]
	if game == "" {
		game = "G"
	}
	switch words[0] {
	case "room":
		return s.room(opts)
	case "gift":
		return s.gift(args, game, opts)
	case "comment", "join":
		s.world.Step(room.Commented{Game: game, Comment: room.Comment{
			User: User(arg(0)), Text: arg(1), Join: words[0] == "join", At: s.world.Now.Wall,
		}})
	case "like":
		n, err := strconv.Atoi(arg(1))
		s.world.Step(room.Liked{Game: game, Like: room.Like{User: User(arg(0)), Amount: n}})
		return err
	case "game":
		return s.game(arg(0))
	case "answer", "hold":
		return s.end(words)
	case "auto":
		return s.setAuto(words[1:])
	case "advance":
		return s.pass(arg(0), s.world.Advance)
	case "wall":
		return s.pass(arg(0), func(d time.Duration) { s.world.Now.Wall += d.Milliseconds() })
	case "stop":
		s.world.Step(room.Stopped{})
	default:
		return fmt.Errorf("no such command")
	}
	return nil
}

// split tells arguments from options, which have an equal sign or are flags.
func split(words []string) (args []string, opts map[string]string) {
	opts = make(map[string]string)
	for _, w := range words {
		if k, v, ok := strings.Cut(w, "="); ok {
			opts[k] = v
			continue
		}
		args = append(args, w)
	}
	return args, opts
}
