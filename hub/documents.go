package hub

import (
	"io"
	"net/http"

	"github.com/giftwire/giftwire/hub/spec"
)

// documentRoutes serve the two specs, to anyone and in every phase.
func documentRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/openapi.json", 0, document(spec.OpenAPI())},
		{http.MethodGet, "/v1/asyncapi.json", 0, document(spec.AsyncAPI())},
	}
}

func document(text string) handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, text) // the client is gone if this fails
		return nil
	}
}
