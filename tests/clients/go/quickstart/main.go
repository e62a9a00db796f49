// A first quarter of an hour with Backchannel: the edge is at $EDGE, behind a proxy that refuses two calls of three at $FLAKY, and
// $TOKEN_COMMAND prints a token when --sub and --role follow.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"time"

	"backchannel"
	notes "backchannelpb/backchannel/notes/v1"
	notifications "backchannelpb/backchannel/notifications/v1"
	routing "backchannelpb/backchannel/routing/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

type quickstart struct {
	ana, ben, adapter, flaky *backchannel.Client
	conversation             string
}

func main() {
	walk := &quickstart{
		ana:     as("EDGE", "ana", "agent"),
		ben:     as("EDGE", "ben", "agent"),
		adapter: as("EDGE", "adapter", "integration"),
		flaky:   as("FLAKY", "ana", "agent"),
	}
	passed := 0
	steps := []struct {
		promise string
		step    func(context.Context) error
	}{
		{"a message of a customer makes a conversation", walk.message},
		{"an agent appears from the token on first sight", walk.appear},
		{"a refusal names its reason and the field", walk.refused},
		{"a call that is safe to repeat is repeated while nobody answers", walk.repeated},
		{"pages give each note once", walk.paged},
		{"a watch goes on where it was cut", walk.watched},
	}
	for _, each := range steps {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := each.step(ctx)
		cancel()
		if err != nil {
			fmt.Printf("✗ %s: %v\ngo client: %d passed, 1 failed\n", each.promise, err, passed)
			os.Exit(1) // what follows builds on it
		}
		fmt.Printf("✓ %s\n", each.promise)
		passed++
	}
	fmt.Printf("go client: %d passed, 0 failed\n", passed)
}

// as is the API for a person. The token is one of `backchannel token`; elsewhere whoever signs in people gives it.
func as(address, subject, role string) *backchannel.Client {
	command := append(strings.Fields(os.Getenv("TOKEN_COMMAND")), "--sub", subject, "--role", role)
	printed, err := exec.Command(command[0], command[1:]...).Output()
	orEnd(err)
	token := strings.TrimSpace(string(printed))
	client, err := backchannel.Dial(os.Getenv(address), func() (string, error) { return token, nil }, grpc.WithInsecure())
	orEnd(err)
	return client
}

func orEnd(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
}

func equal(actual, expected interface{}, what string) error {
	if !reflect.DeepEqual(actual, expected) {
		return fmt.Errorf("%s: expected %v, got %v", what, expected, actual)
	}
	return nil
}

func (q *quickstart) message(ctx context.Context) error {
	recorded, err := q.adapter.Conversations.RecordMessage(ctx, &routing.RecordMessageRequest{
		Channel:                "chat",
		ExternalId:             "c-1/0",
		Direction:              routing.Direction_DIRECTION_INBOUND,
		ConversationExternalId: "c-1",
		ContactAddress:         "kim",
		ContactDisplayName:     "Kim Customer",
		Source:                 "airline",
		Text:                   "I lost my boarding pass",
	})
	q.conversation = recorded.GetConversation().GetConversationId()
	return err
}

func (q *quickstart) appear(ctx context.Context) error {
	for name, person := range map[string]*backchannel.Client{"ana": q.ana, "ben": q.ben} {
		answer, err := person.Agents.GetMyAgent(ctx, &routing.GetMyAgentRequest{})
		if err != nil {
			return err
		}
		if err := equal(answer.GetAgent().GetUsername(), name, "username"); err != nil {
			return err
		}
	}
	return nil
}

func (q *quickstart) refused(ctx context.Context) error {
	_, err := q.ana.Notes.CreateNote(ctx, &notes.CreateNoteRequest{ConversationId: "c-1", Body: "x", RequestId: "again"})
	refusal := backchannel.RefusalOf(err)
	_, conversation := refusal.Fields["conversation_id"]
	_, request := refusal.Fields["request_id"]
	return equal(
		[]interface{}{refusal.Code, refusal.Reason, len(refusal.Fields), conversation && request},
		[]interface{}{codes.InvalidArgument, "INVALID_FIELD", 2, true}, "refusal")
}

func (q *quickstart) repeated(ctx context.Context) error {
	listed, err := q.flaky.Agents.ListAgents(ctx, &routing.ListAgentsRequest{})
	if err != nil {
		return err
	}
	if err := equal(len(listed.GetAgents()), 2, "agents found in spite of two failures"); err != nil {
		return err
	}
	// A note has no request_id here: a second attempt might write it twice.
	_, err = q.flaky.Notes.CreateNote(ctx, &notes.CreateNoteRequest{ConversationId: q.conversation, Body: "once"})
	return equal(backchannel.RefusalOf(err).Code, codes.Unavailable, "what is not safe to repeat")
}

func (q *quickstart) paged(ctx context.Context) error {
	var wrote, read []string
	for number := 0; number < 7; number++ {
		wrote = append(wrote, fmt.Sprint("note ", number))
		if _, err := q.write(ctx, wrote[number]); err != nil {
			return err
		}
	}
	err := backchannel.Pages(ctx, func(token string) (string, error) {
		page, err := q.ana.Notes.ListNotes(ctx, &notes.ListNotesRequest{ConversationId: q.conversation, PageSize: 3, PageToken: token})
		for _, note := range page.GetNotes() {
			read = append(read, note.GetBody())
		}
		return page.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	return equal(read, wrote, "notes")
}

func (q *quickstart) watched(ctx context.Context) error {
	heard, opened := make(chan string, 16), make(chan struct{}, 16)
	watch := &backchannel.Watch{
		Opened: func() { opened <- struct{}{} },
		Told: func(told *notifications.Notification) error {
			heard <- told.GetNoteId()
			return nil
		},
	}
	var wrote, told []string
	for round := 0; round < 3; round++ { // the last round is cut off too, and its rest heard by the next
		listening, cut := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- watch.Run(listening, q.ben) }()
		<-opened
		for number := 0; number < 2; number++ {
			note, err := q.write(ctx, fmt.Sprintf("%d of round %d @ben", number, round))
			if err != nil {
				cut()
				return err
			}
			wrote = append(wrote, note)
			if number == 0 {
				told = append(told, <-heard)
			}
		}
		cut()
		if err := <-ended; err != context.Canceled {
			return err
		}
		for len(heard) > 0 {
			told = append(told, <-heard)
		}
	}
	listening, cut := context.WithCancel(ctx)
	defer cut()
	go watch.Run(listening, q.ben)
	for len(told) < len(wrote) {
		select {
		case note := <-heard:
			told = append(told, note)
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d came", len(told), len(wrote))
		}
	}
	return equal(told, wrote, "notes heard over three cuts")
}

// write makes a note of Ana's and returns its id. With a request_id it could be written again and again, and would be there once.
func (q *quickstart) write(ctx context.Context, body string) (string, error) {
	request := &notes.CreateNoteRequest{ConversationId: q.conversation, Body: body, RequestId: newUUID()}
	var made *notes.CreateNoteResponse
	err := backchannel.Patiently(ctx, func() (err error) {
		made, err = q.ana.Notes.CreateNote(ctx, request)
		return err
	})
	return made.GetNote().GetNoteId(), err
}

func newUUID() string {
	var b [16]byte
	_, err := rand.Read(b[:])
	orEnd(err)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
