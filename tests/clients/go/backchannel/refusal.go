package backchannel

import (
	"context"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Refusal is why a call was refused, as a program can act on it.
type Refusal struct {
	Code    codes.Code
	Message string
	// Reason is an ErrorReason of backchannel/common/v1/error.proto, without its prefix. Empty: the refusal is not the server's own.
	Reason   string
	Metadata map[string]string
	// Fields are those which break their rules, and how.
	Fields map[string]string
	// RetryAfter is when to come again, where the server says so.
	RetryAfter time.Duration
}

// RefusalOf reads the google.rpc.Status that comes with an error.
func RefusalOf(err error) Refusal {
	from := status.Convert(err)
	refusal := Refusal{Code: from.Code(), Message: from.Message(), Fields: map[string]string{}}
	for _, detail := range from.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			refusal.Reason, refusal.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				refusal.Fields[violation.GetField()] = violation.GetDescription()
			}
		case *errdetails.RetryInfo:
			delay := detail.GetRetryDelay()
			refusal.RetryAfter = time.Duration(delay.GetSeconds())*time.Second + time.Duration(delay.GetNanos())
		}
	}
	return refusal
}

// Patiently calls, and comes again when the server says so. Safe for every call: one that was RESOURCE_EXHAUSTED had no effect.
func Patiently(ctx context.Context, call func() error) error {
	for tries := 20; ; tries-- {
		err := call()
		refusal := RefusalOf(err)
		if refusal.Code != codes.ResourceExhausted || refusal.RetryAfter == 0 || tries == 0 {
			return err
		}
		if wait(ctx, refusal.RetryAfter) != nil {
			return err
		}
	}
}

// wait sleeps, unless there is no more reason to.
func wait(ctx context.Context, span time.Duration) error {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
