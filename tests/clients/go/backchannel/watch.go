package backchannel

import (
	"context"
	"errors"
	"io"
	"math/rand"
	"time"

	common "backchannelpb/backchannel/common/v1"
	notifications "backchannelpb/backchannel/notifications/v1"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ErrResyncRequired says that the resume token is older than what the server keeps: list the notifications, then watch without a token.
var ErrResyncRequired = errors.New("what lies behind the resume token is no longer kept")

const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 30 * time.Second
)

// Watch is a person's notifications as they come: in order, each once, none missing, across any number of cuts.
type Watch struct {
	// ResumeToken is the place behind the last notification that the loop is through with. Keep it to go on there after a restart.
	ResumeToken string
	// Opened is called when the stream is there, each time.
	Opened func()
	// Told is called with each notification. One whose handling failed comes again, if the error is passing; the loop ends with it.
	Told func(*notifications.Notification) error
}

// Run watches until the context ends, or with an error that does not pass.
func (w *Watch) Run(ctx context.Context, api *Client) error {
	pause := shortestPause
	for {
		err := w.once(ctx, api, &pause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !passes(err) {
			return err
		}
		// Of random length, so that a crowd which was cut off at once does not come back at once.
		if err := wait(ctx, time.Duration(float64(pause)*(0.5+rand.Float64()/2))); err != nil {
			return err
		}
		if pause *= 2; pause > longestPause {
			pause = longestPause
		}
	}
}

// once watches until the stream ends.
func (w *Watch) once(ctx context.Context, api *Client, pause *time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request := &notifications.SubscribeRequest{}
	if w.ResumeToken != "" {
		request.Start = &common.StreamStart{Start: &common.StreamStart_ResumeToken{ResumeToken: w.ResumeToken}}
	}
	stream, err := api.Notifications.Subscribe(ctx, request)
	if err != nil {
		return err
	}
	for {
		frame, err := stream.Recv()
		if err == io.EOF {
			return nil // the server ended it, and said why in its last frame
		}
		if err != nil {
			return err
		}
		switch kind := frame.GetFrame().(type) {
		case *notifications.SubscribeResponse_ResyncRequired:
			return ErrResyncRequired
		case *notifications.SubscribeResponse_Opened:
			w.Opened()
		case *notifications.SubscribeResponse_Notification:
			if err := w.Told(kind.Notification); err != nil {
				return err
			}
			*pause = shortestPause
		case *notifications.SubscribeResponse_Heartbeat:
			*pause = shortestPause
		}
		if token := frame.GetResumeToken(); token != "" {
			w.ResumeToken = token
		}
	}
}

func passes(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled:
		return true
	}
	return false
}
