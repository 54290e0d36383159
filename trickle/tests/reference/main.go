// The reference server, go-livepeer's trickle package, behind the flags of `python -m livepeer.trickle.server`.
//
//	python trickle/tests/reference/build.py CHECKOUT_OF_GO_LIVEPEER PROGRAM
//	LIVEPEER_TRICKLE_REFERENCE=PROGRAM pytest trickle/tests/table
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/livepeer/go-livepeer/trickle"
)

// refuse is both hooks: the header X-Refuse is "STATUS MESSAGE", or "error MESSAGE" for an unexpected failure.
func refuse(r *http.Request, _ string) error {
	status, message, refused := strings.Cut(r.Header.Get("X-Refuse"), " ")
	if !refused {
		return nil
	}
	if code, err := strconv.Atoi(status); err == nil {
		return &trickle.RequestError{StatusCode: code, Message: message}
	}
	return errors.New(message)
}

func main() {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 2939, "port to listen on, 0 for a free one")
	path := flag.String("path", "/", "path of the channels")
	strict := flag.Bool("no-autocreate", false, "let no request create a channel")
	changefeed := flag.Bool("changefeed", false, "publish the channels' names in _changes")
	idle := flag.Float64("idle-seconds", 300, "how long a channel may be idle")
	sweep := flag.Float64("sweep-seconds", 60, "how often idle channels are swept")
	hooks := flag.Bool("hooks", false, "refuse creations and deletions that have the header X-Refuse")
	verbose := flag.Bool("verbose", false, "log to standard error")
	flag.Parse()
	if !*verbose {
		slog.SetDefault(slog.New(slog.DiscardHandler))
		log.SetOutput(io.Discard)
	}
	seconds := func(count float64) time.Duration { return time.Duration(count * float64(time.Second)) }
	base := strings.TrimRight(*path, "/") + "/"
	config := trickle.TrickleServerConfig{
		BasePath: base, Mux: http.NewServeMux(), Changefeed: *changefeed, Autocreate: !*strict,
		IdleTimeout: seconds(*idle), SweepInterval: seconds(*sweep),
	}
	if *hooks {
		config.BeforeCreate, config.BeforeDelete = refuse, refuse
	}
	stop := trickle.ConfigureServer(config).Start()
	listener, err := net.Listen("tcp", net.JoinHostPort(*host, strconv.Itoa(*port)))
	if err != nil {
		log.SetOutput(flag.CommandLine.Output())
		log.Fatal(err)
	}
	server := &http.Server{Handler: config.Mux}
	ended, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	go func() { _ = server.Serve(listener) }()
	fmt.Printf("http://%s%s\n", listener.Addr(), base)
	<-ended.Done()
	stop()
	_ = server.Close()
}
