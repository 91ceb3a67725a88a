// SPDX-License-Identifier: GPL-3.0-or-later

// A client of the control socket by a library that is not ours (Debian's golang-github-varlink-go-dev). It parses the
// interface by that library's own parser, calls the methods that it is told to, and prints a JSON object a line.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/varlink/go/varlink"
	"github.com/varlink/go/varlink/idl"
)

func say(what string, value interface{}) {
	line, err := json.Marshal(map[string]interface{}{"what": what, "value": value})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

// describe lists what the library's parser finds in a description: its own opinion of our interface file.
func describe(name string, description string) {
	t, err := idl.New(description)
	if err != nil {
		say("bad interface "+name, err.Error())
		return
	}
	var methods, errors []string
	for _, m := range t.Methods {
		methods = append(methods, m.Name)
	}
	for _, e := range t.Errors {
		errors = append(errors, e.Name)
	}
	say("interface", map[string]interface{}{"name": t.Name, "methods": methods, "errors": errors})
}

// fail tells an error as the library gives it: its type is part of what is tested.
func fail(method string, err error) {
	parameters := json.RawMessage("null")
	if e, ok := err.(*varlink.Error); ok {
		if raw, ok := e.Parameters.(*json.RawMessage); ok && raw != nil {
			parameters = *raw
		}
		say("error", map[string]interface{}{"method": method, "name": e.Name, "parameters": parameters})
		return
	}
	say("error", map[string]interface{}{"method": method, "type": fmt.Sprintf("%T", err), "text": err.Error()})
}

func call(ctx context.Context, c *varlink.Connection, method string, text string, flags uint64, most int) {
	var parameters json.RawMessage
	if text != "" {
		parameters = json.RawMessage(text)
	}
	receive, err := c.Send(ctx, method, parameters, flags)
	for i := 0; err == nil && flags&varlink.Oneway == 0 && i < most; i++ {
		var out json.RawMessage
		var got uint64
		got, err = receive(ctx, &out)
		if err == nil {
			say("reply", map[string]interface{}{"method": method, "parameters": out, "continues": got&varlink.Continues != 0})
			if got&varlink.Continues == 0 {
				break
			}
		}
	}
	if err != nil {
		fail(method, err)
	}
}

// Arguments: the socket, then METHOD or METHOD:PARAMETERS, with "+" before it for more, "!" for oneway.
func main() {
	ctx := context.Background()
	c, err := varlink.NewConnection(ctx, "unix:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	var vendor, product, version, url string
	var interfaces []string
	if err := c.GetInfo(ctx, &vendor, &product, &version, &url, &interfaces); err != nil {
		panic(err)
	}
	say("info", []string{vendor, product, version, url})
	for _, name := range interfaces {
		description, err := c.GetInterfaceDescription(ctx, name)
		if err != nil {
			fail(name, err)
			continue
		}
		describe(name, description)
	}
	for _, argument := range os.Args[2:] {
		flags, most := uint64(0), 1
		if strings.HasPrefix(argument, "+") {
			flags, most, argument = varlink.More, 3, argument[1:]
		} else if strings.HasPrefix(argument, "!") {
			flags, argument = varlink.Oneway, argument[1:]
		}
		parts := strings.SplitN(argument, ":", 2)
		parts = append(parts, "")
		call(ctx, c, parts[0], parts[1], flags, most)
	}
}
