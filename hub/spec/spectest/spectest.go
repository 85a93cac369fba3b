// Package spectest holds real requests, answers and frames against the documents
// of package spec. It is for tests: it reads a whole answer before it judges it.
//
// Clients must ignore members that they do not know, so the documents do not
// forbid them; here every object of an answer or an event may have only the
// members that the document names, so that a new member cannot be forgotten.
package spectest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/giftwire/giftwire/hub/spec"
)

// Names under which the documents are known to the schema compiler.
const (
	openAPIURL  = "giftwire:///openapi.json"
	asyncAPIURL = "giftwire:///asyncapi.json"
)

// Docs are the two documents, ready to judge. Safe for concurrent use.
type Docs struct {
	open    map[string]any
	schemas map[string]*jsonschema.Schema // by URL with fragment
}

// Load compiles every schema of both documents; a reference that leads nowhere is
// an error.
func Load() (*Docs, error) {
	d := &Docs{schemas: make(map[string]*jsonschema.Schema)}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	var pointers []string
	for url, text := range map[string]string{openAPIURL: spec.OpenAPI(), asyncAPIURL: spec.AsyncAPI()} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("spectest: %s: %w", url, err)
		}
		closeObjects(doc)
		if err := compiler.AddResource(url, doc); err != nil {
			return nil, fmt.Errorf("spectest: %s: %w", url, err)
		}
		pointers = append(pointers, schemaPointers(doc, url+"#")...)
		if url == openAPIURL {
			d.open, _ = doc.(map[string]any)
		}
	}
	for _, p := range pointers {
		s, err := compiler.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("spectest: %s: %w", p, err)
		}
		d.schemas[p] = s
	}
	return d, nil
}

// closeObjects closes every object schema that lists its members and says nothing of
// others.
func closeObjects(node any) {
	switch n := node.(type) {
	case map[string]any:
		_, lists := n["properties"].(map[string]any)
		if _, says := n["additionalProperties"]; lists && !says && n["type"] == "object" {
			n["additionalProperties"] = false
		}
		for _, v := range n {
			closeObjects(v)
		}
	case []any:
		for _, v := range n {
			closeObjects(v)
		}
	}
}

// schemaPointers lists where the schemas of a document are: in components.schemas,
// and wherever a member is called schema.
func schemaPointers(node any, at string) []string {
	var found []string
	switch n := node.(type) {
	case map[string]any:
		for key, v := range n {
			here := at + "/" + escape(key)
			named, isSchemas := v.(map[string]any)
			switch {
			case key == "schema":
				found = append(found, here)
			case isSchemas && strings.HasSuffix(here, "#/components/schemas"):
				for name := range named {
					found = append(found, here+"/"+escape(name))
				}
			default:
				found = append(found, schemaPointers(v, here)...)
			}
		}
	case []any:
		for i, v := range n {
			found = append(found, schemaPointers(v, fmt.Sprintf("%s/%d", at, i))...)
		}
	}
	slices.Sort(found)
	return found
}

// escape writes a name as a part of a JSON pointer in a URL fragment.
func escape(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(s)
}

// check holds a JSON text against the schema at a URL.
func (d *Docs) check(url string, text []byte) error {
	s := d.schemas[url]
	if s == nil {
		return fmt.Errorf("spectest: there is no schema at %s", url)
	}
	// The library of the hub itself reads the text: it refuses duplicate names and
	// bad UTF-8, which the schema library would not see.
	var strict any
	if err := json.Unmarshal(text, &strict); err != nil {
		return fmt.Errorf("spectest: not strict JSON: %w", err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return fmt.Errorf("spectest: %w", err)
	}
	return s.Validate(v)
}

// ClientFrame checks a frame that the hub has taken.
func (d *Docs) ClientFrame(frame []byte) error {
	return d.check(asyncAPIURL+"#/components/schemas/ClientFrame", frame)
}

// ServerFrame checks a frame that the hub has sent.
func (d *Docs) ServerFrame(frame []byte) error {
	return d.check(asyncAPIURL+"#/components/schemas/ServerFrame", frame)
}

// Event checks one event of a server frame.
func (d *Docs) Event(event []byte) error {
	return d.check(asyncAPIURL+"#/components/schemas/Event", event)
}

// Schema checks a text against a named schema of the OpenAPI document.
func (d *Docs) Schema(name string, text []byte) error {
	return d.check(openAPIURL+"#/components/schemas/"+escape(name), text)
}
