package spectest

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// Exchange is one request and its answer.
type Exchange struct {
	Method, Path string // the path without query
	Request      []byte // the body
	Status       int
	Header       http.Header // of the answer
	Answer       []byte
}

// anywhere are statuses that every path may answer and no operation lists: each
// with its response in the document.
func anywhere(status int) string {
	switch status {
	case http.StatusMethodNotAllowed:
		return "MethodNotAllowed"
	case http.StatusInternalServerError:
		return "InternalError"
	default:
		return ""
	}
}

// Exchange holds a request and its answer against the OpenAPI document. A path
// that the document does not have must be a 404; a status that the operation does
// not list is an error; a request that was taken (2xx) must be one that the
// document allows. It returns the operation's id, empty for an unknown path.
func (d *Docs) Exchange(x Exchange) (operation string, err error) {
	method := strings.ToLower(x.Method)
	if method == "head" {
		method = "get"
	}
	template, item := d.path(x.Path)
	op, _ := item[method].(map[string]any)
	operation, _ = op["operationId"].(string)
	response, at, err := d.response(template, method, op, x.Status)
	if err != nil {
		return operation, err
	}
	if err := d.checkHeaders(response, x.Header); err != nil {
		return operation, err
	}
	if err := d.checkAnswer(response, at, x); err != nil {
		return operation, fmt.Errorf("answer %d of %s %s: %w", x.Status, x.Method, template, err)
	}
	if x.Status/100 != 2 || op["requestBody"] == nil || rejectsByItem(op, x.Answer) {
		return operation, nil
	}
	url := openAPIURL + "#/paths/" + escape(template) + "/" + method + "/requestBody/content/application~1json/schema"
	if err := d.check(url, x.Request); err != nil {
		return operation, fmt.Errorf("%s %s took a request that the document forbids: %w", x.Method, template, err)
	}
	return operation, nil
}

// rejectsByItem: the operation takes a list as a whole, and says of items that
// they are wrong; the request is then not what the schema asks for.
func rejectsByItem(op map[string]any, answer []byte) bool {
	by, _ := op["x-rejects-by-item"].(bool)
	return by && strings.Contains(string(answer), `"rejected"`)
}

// path finds the template that a path fits.
func (d *Docs) path(path string) (template string, item map[string]any) {
	paths, _ := d.open["paths"].(map[string]any)
	parts := strings.Split(path, "/")
	best := ""
	for t := range paths {
		tp := strings.Split(t, "/")
		fits := len(tp) == len(parts)
		for i := range tp {
			if !fits {
				break
			}
			fits = tp[i] == parts[i] || strings.HasPrefix(tp[i], "{")
		}
		if fits && (best == "" || strings.Count(t, "{") < strings.Count(best, "{")) {
			best = t
		}
	}
	item, _ = paths[best].(map[string]any)
	return best, item
}

// response finds what the document says of a status, and where.
func (d *Docs) response(template, method string, op map[string]any, status int) (map[string]any, string, error) {
	const base = openAPIURL + "#"
	named := func(name string) (map[string]any, string, error) {
		r, _ := d.lookup("/components/responses/" + name).(map[string]any)
		if r == nil {
			return nil, "", fmt.Errorf("there is no response %s in the document", name)
		}
		return r, base + "/components/responses/" + name, nil
	}
	responses, _ := op["responses"].(map[string]any)
	key := fmt.Sprint(status)
	r, ok := responses[key].(map[string]any)
	switch {
	case ok && r["$ref"] != nil:
		return named(strings.TrimPrefix(fmt.Sprint(r["$ref"]), "#/components/responses/"))
	case ok:
		return r, base + "/paths/" + escape(template) + "/" + method + "/responses/" + key, nil
	case template == "" && status == http.StatusNotFound:
		return named("NotFound")
	case anywhere(status) != "":
		return named(anywhere(status))
	default:
		return nil, "", fmt.Errorf("%s %q answers %d, which the document does not list", method, template, status)
	}
}

func (d *Docs) lookup(pointer string) any {
	var node any = d.open
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		m, _ := node.(map[string]any)
		node = m[part]
	}
	return node
}

// checkHeaders wants every header that the response names.
func (d *Docs) checkHeaders(response map[string]any, got http.Header) error {
	headers, _ := response["headers"].(map[string]any)
	for name := range headers {
		if name == "Retry-After" && got.Get("Content-Type") == "" {
			continue
		}
		if got.Get(name) == "" {
			return fmt.Errorf("the answer has no %s header, which the document names", name)
		}
	}
	return nil
}

// checkAnswer wants the media type that the response names, and a body that fits.
func (d *Docs) checkAnswer(response map[string]any, at string, x Exchange) error {
	content, _ := response["content"].(map[string]any)
	if content == nil {
		if len(x.Answer) > 0 {
			return fmt.Errorf("%d bytes of body, the document has none", len(x.Answer))
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if err != nil {
		return errors.New("no content type")
	}
	if _, ok := content[kind]; !ok {
		var kinds []string
		for k := range content {
			kinds = append(kinds, k)
		}
		slices.Sort(kinds)
		return fmt.Errorf("content type %s, the document has %v", kind, kinds)
	}
	if x.Method == http.MethodHead {
		return nil
	}
	return d.check(at+"/content/"+escape(kind)+"/schema", x.Answer)
}

// Operations lists every operation and the statuses that the document gives it, as
// "operationId status", sorted: what a test suite can be complete against.
func (d *Docs) Operations() []string {
	var all []string
	paths, _ := d.open["paths"].(map[string]any)
	for _, item := range paths {
		methods, _ := item.(map[string]any)
		for _, op := range methods {
			o, _ := op.(map[string]any)
			responses, _ := o["responses"].(map[string]any)
			for status := range responses {
				all = append(all, fmt.Sprintf("%v %s", o["operationId"], status))
			}
		}
	}
	slices.Sort(all)
	return all
}
