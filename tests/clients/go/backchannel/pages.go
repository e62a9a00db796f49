package backchannel

import "context"

// Pages walks through everything that a list holds. List is given the token of each page, does with its items what it wants, and returns
// the token of the next.
func Pages(ctx context.Context, list func(pageToken string) (next string, err error)) error {
	for token := ""; ; {
		var next string
		err := Patiently(ctx, func() (err error) {
			next, err = list(token)
			return err
		})
		if err != nil || next == "" {
			return err
		}
		token = next
	}
}
