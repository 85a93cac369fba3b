// Command giftwire runs the hub, its simulator and its tools.
package main

func main() {}
