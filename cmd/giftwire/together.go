package main

import (
	"context"
	"errors"
	"sync"
)

// together runs the parts until ctx ends or one of them fails, ends the others, and
// returns when all have ended.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	var all sync.WaitGroup
	for _, run := range parts {
		all.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				failed(err)
			}
		})
	}
	all.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}
