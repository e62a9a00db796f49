// Package backchannel is what a program in Go needs beyond the generated stubs. An example to copy from.
//
//	ana, err := backchannel.Dial("127.0.0.1:8080", token, grpc.WithInsecure())
//	note, err := ana.Notes.CreateNote(ctx, request)
//	if err != nil {
//		log.Print(backchannel.RefusalOf(err).Reason)
//	}
//	err = (&backchannel.Watch{Opened: opened, Told: told}).Run(ctx, ana)
package backchannel

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	notes "backchannelpb/backchannel/notes/v1"
	notifications "backchannelpb/backchannel/notifications/v1"
	routing "backchannelpb/backchannel/routing/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Deadline is how long a call may take that is not a stream.
const Deadline = 10 * time.Second

// Client is the API as the bearer of a token sees it.
type Client struct {
	Agents        routing.AgentServiceClient
	Conversations routing.ConversationServiceClient
	Notes         notes.NoteServiceClient
	Notifications notifications.NotificationServiceClient

	connection *grpc.ClientConn
}

// Dial connects to an edge or a service. The token is asked for before each call, so it can bring a fresh one in time. The options say
// how connections are secured: grpc.WithTransportCredentials elsewhere, grpc.WithInsecure on this machine only.
func Dial(address string, token func() (string, error), options ...grpc.DialOption) (*Client, error) {
	config, err := serviceConfig()
	if err != nil {
		return nil, err
	}
	connection, err := grpc.Dial(address, append([]grpc.DialOption{
		grpc.WithDefaultServiceConfig(config),
		grpc.WithPerRPCCredentials(bearer{token}),
		// A connection that died without a word is noticed after 30 seconds.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	return &Client{
		Agents:        routing.NewAgentServiceClient(connection),
		Conversations: routing.NewConversationServiceClient(connection),
		Notes:         notes.NewNoteServiceClient(connection),
		Notifications: notifications.NewNotificationServiceClient(connection),
		connection:    connection,
	}, nil
}

// Close ends all calls.
func (c *Client) Close() error { return c.connection.Close() }

type bearer struct{ token func() (string, error) }

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := b.token()
	return map[string]string{"authorization": "Bearer " + token}, err
}

func (bearer) RequireTransportSecurity() bool { return false }

type retryPolicy struct {
	MaxAttempts          int      `json:"maxAttempts"`
	InitialBackoff       string   `json:"initialBackoff"`
	MaxBackoff           string   `json:"maxBackoff"`
	BackoffMultiplier    float64  `json:"backoffMultiplier"`
	RetryableStatusCodes []string `json:"retryableStatusCodes"`
}

type methodConfig struct {
	Name        []map[string]string `json:"name"`
	Timeout     string              `json:"timeout,omitempty"`
	RetryPolicy *retryPolicy        `json:"retryPolicy,omitempty"`
}

// serviceConfig says how long calls may take, and which gRPC repeats by itself while nobody answers: those which the contract calls safe
// to repeat.
func serviceConfig() (string, error) {
	var methods []methodConfig
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		services := file.Services()
		for i := 0; i < services.Len(); i++ {
			service := services.Get(i)
			for j := 0; strings.HasPrefix(string(service.FullName()), "backchannel.") && j < service.Methods().Len(); j++ {
				methods = append(methods, configOf(service, service.Methods().Get(j)))
			}
		}
		return true
	})
	config, err := json.Marshal(map[string]interface{}{"methodConfig": methods})
	return string(config), err
}

func configOf(service protoreflect.ServiceDescriptor, method protoreflect.MethodDescriptor) methodConfig {
	config := methodConfig{Name: []map[string]string{{"service": string(service.FullName()), "method": string(method.Name())}}}
	if !method.IsStreamingServer() && !method.IsStreamingClient() {
		config.Timeout = "10s"
	}
	options, _ := method.Options().(*descriptorpb.MethodOptions)
	if options.GetIdempotencyLevel() != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN {
		config.RetryPolicy = &retryPolicy{4, "0.1s", "2s", 3, []string{"UNAVAILABLE"}}
	}
	return config
}
