// What another program makes of an NDX ledger, with filippo.io/torchwood, which knows nothing of NDX. Prints one line of JSON, or
// ends with 1 and says what does not hold.
//
//	read <prefix> <log's verifier key>    fetches the log as C2SP tlog-tiles, all of it, and verifies it
//	agent <socket>                        an ssh-agent with one new Ed25519 key, for litewitness; until standard input ends
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "read":
		err = read(os.Args[2], os.Args[3])
	case len(os.Args) == 3 && os.Args[1] == "agent":
		err = serveAgent(os.Args[2])
	default:
		err = fmt.Errorf("usage: read <prefix> <log key> | agent <socket>")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(prefix, logKey string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fetcher, err := torchwood.NewTileFetcher(prefix, torchwood.WithConcurrencyLimit(8))
	if err != nil {
		return err
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		return err
	}
	checkpoint, err := readCheckpoint(ctx, fetcher, logKey)
	if err != nil {
		return err
	}
	hash := sha256.New()
	next := int64(0)
	// It leaves the last, partial bundle for a later call.
	for next < checkpoint.N {
		before := next
		for index, entry := range client.Entries(ctx, checkpoint.Tree, next) {
			if index != next {
				return fmt.Errorf("entry %d came where entry %d belongs", index, next)
			}
			hash.Write(entry)
			hash.Write([]byte("\n"))
			next++
		}
		if err := client.Err(); err != nil {
			return err
		}
		if next == before {
			return fmt.Errorf("no entry %d", next)
		}
	}
	return print(map[string]any{
		"origin":  checkpoint.Origin,
		"size":    checkpoint.N,
		"root":    checkpoint.Hash.String(),
		"entries": next,
		"sha256":  hex.EncodeToString(hash.Sum(nil)),
	})
}

// Signed by the log, and of it.
func readCheckpoint(ctx context.Context, fetcher *torchwood.TileFetcher, logKey string) (torchwood.Checkpoint, error) {
	var none torchwood.Checkpoint
	signed, err := fetcher.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return none, err
	}
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		return none, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return none, err
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return none, err
	}
	if checkpoint.Origin != verifier.Name() {
		return none, fmt.Errorf("the checkpoint is of %q", checkpoint.Origin)
	}
	return checkpoint, nil
}

func serveAgent(socket string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	keyring := agent.NewKeyring()
	if err := keyring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		return err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	if err := print(map[string]any{"fingerprint": ssh.FingerprintSHA256(public)}); err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(keyring, connection)
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func print(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}
