package zego

// Secret holds a ServerSecret or CallbackSecret. It prints as [redacted] in every
// format, also where fmt cannot call its methods: inside an unexported field fmt
// prints the raw value, and the value here is an address.
//
// The zero Secret is empty. Secrets are not comparable by value.
type Secret struct{ text *string }

// NewSecret keeps the text of a secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// IsZero reports whether no secret was given.
func (s Secret) IsZero() bool { return s.text == nil }

// String hides the text.
func (s Secret) String() string {
	if s.IsZero() {
		return "[no secret]"
	}
	return "[redacted]"
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return "zego.Secret{" + s.String() + "}" }

// MarshalText hides the text from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s Secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}
