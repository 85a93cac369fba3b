package hub

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// exchange makes one request with the tests' API key and returns the answer as text.
func exchange(tb testing.TB, method, url, body string, options ...func(*http.Request)) (int, string, http.Header) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		o(req)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // leaves no goroutine behind
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

// header is an option of exchange; an empty value removes the header.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

// decoded reads an answer into T.
func decoded[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("answer %.500s: %v", text, err)
	}
	return v
}

// wantProblem checks status and code of an answer.
func wantProblem(t *testing.T, status int, text string, wantStatus int, wantCode string) {
	t.Helper()
	if status != wantStatus {
		t.Errorf("status %d, want %d: %.300s", status, wantStatus, text)
		return
	}
	if p := decoded[problemBody](t, text); p.Code != wantCode {
		t.Errorf("code %s, want %s: %s", p.Code, wantCode, p.Detail)
	}
}
