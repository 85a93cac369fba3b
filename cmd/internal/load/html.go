package load

import "io"

// WriteHTML writes the report as one page that needs nothing else.
func (r *Report) WriteHTML(to io.Writer) error { _, err := io.WriteString(to, "todo"); return err }
