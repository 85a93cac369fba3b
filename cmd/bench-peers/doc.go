// Command bench-peers does the same broadcast work with giftwire and with other
// servers, and prints what each delivery costs them. It is a module of its own: what it
// needs of other projects never reaches giftwire's users.
//
// One run alternates between the servers, so that whatever else the machine does meets
// all of them; figures are medians of the rounds. Each server is a process pinned to
// the first core, the readers are one light process pinned to the second. What is
// compared are deliveries per second of the server's CPU time: the kernel's part of
// writing to a socket of the same machine is in it, for all alike.
//
//	giftwire    the hub's own sessions and audience: the test binary of package hub
//	centrifuge  github.com/centrifugal/centrifuge, JSON, memory engine
//	melody      github.com/olahol/melody
//	gws         github.com/lxzan/gws, its Broadcaster
//	tcp         one write of the encoded frame per message and connection, and nothing
//	            else: the floor of what does not merge messages
package main
