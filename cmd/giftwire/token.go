package main

import (
	"context"
	"fmt"
	"time"

	"github.com/giftwire/giftwire/hub/auth"
	"github.com/giftwire/giftwire/room"
)

// tokenCmd prints a viewer token, for trying things out and for scripts. A platform
// signs its own.
type tokenCmd struct {
	JWTSecret     string `name:"jwt-secret" help:"HS256 secret that the hub has too." placeholder:"TEXT"`
	JWTSecretFile string `name:"jwt-secret-file" help:"File that holds it." placeholder:"FILE"`
	JWTAudience   string `name:"jwt-audience" help:"The token's aud." default:"giftwire" placeholder:"NAME"`
	Room          string `help:"The only room that the token opens; empty: any." placeholder:"ROOM"`
	UserID        string `name:"user-id" help:"The token's sub: 1 to 48 letters and digits." placeholder:"ID"`
	Nickname      string `help:"What others see, 1 to 32 characters; default: the first 32 of the user id." placeholder:"NAME"`
	TTL           string `name:"ttl" help:"How long the token is good, up to 8760h." default:"1h" placeholder:"DURATION"`
}

func (c *tokenCmd) run(_ context.Context, s streams) error {
	set := settings{faults: s.faults}
	secret := set.secret("jwt-secret", c.JWTSecret, c.JWTSecretFile)
	if c.JWTSecretFile == "" {
		set.required("jwt-secret", secret)
	}
	ttl := set.duration("ttl", c.TTL, time.Second, 365*24*time.Hour)
	if set.required("user-id", c.UserID) {
		if err := room.CheckUserID(c.UserID); err != nil {
			set.fault("user-id", "%w", err)
		}
	}
	if c.Room != "" {
		if err := room.CheckRoomID(c.Room); err != nil {
			set.fault("room", "%w", err)
		}
	}
	if c.Nickname != "" {
		user := room.User{ID: "u", Nickname: c.Nickname, Avatar: auth.DefaultAvatar}
		if err := user.Check(); err != nil {
			set.fault("nickname", "%w", err)
		}
	}
	if err := set.err(); err != nil {
		return err
	}
	signer, err := auth.NewHS256(auth.HS256Config{Secret: []byte(secret), Audience: c.JWTAudience})
	if err != nil {
		return fmt.Errorf("%w: %w", errSettings, err)
	}
	token, err := signer.Token(auth.Identity{
		User: room.User{ID: c.UserID, Nickname: c.Nickname}, Room: c.Room,
		Can: auth.CanAll, Expires: time.Now().Add(ttl),
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, token)
	return err
}
