// Package spec holds the two documents of giftwire's outside: OpenAPI 3.1 for the
// platform API and the handshake, AsyncAPI 3.0 for the viewers' frames. They are
// written by hand and served by the hub; tests hold every answer and every frame
// of the hub's tests against them, so they cannot drift.
package spec

import _ "embed"

//go:embed openapi.json
var openAPI string

//go:embed asyncapi.json
var asyncAPI string

// OpenAPI is the platform API's document, JSON.
func OpenAPI() string { return openAPI }

// AsyncAPI is the viewer frames' document, JSON.
func AsyncAPI() string { return asyncAPI }
