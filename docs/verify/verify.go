// Verify checks a consortium log without any code of the service: only Go's
// standard library and golang.org/x/mod (sumdb/tlog, sumdb/note).
//
//	go run verify.go -vkey KEY [-vkey KEY] [-index N] FOLDER-OR-URL
//
// A log that changes its key signs with both for a while: give both then, and any
// one of them is enough. A server that asks for a token is shown the one in the
// environment variable MC_TOKEN.
//
// It checks the checkpoint's signature, hashes every entry, compares every tile
// and the root, and proves that entry N (the last one by default) is included.
// Status 0: the log holds. 1: it is refused. 2: nothing was decided.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height    = 8 // levels of the tree in one tile
	width     = 1 << height
	maxOctets = width * (2 + 0xFFFF) // the largest file of a log, a full bundle
)

// errUndecided marks faults that say nothing about the log.
var errUndecided = errors.New("nothing was decided")

// errAbsent says that the log has no such file.
var errAbsent = errors.New("is missing")

// source returns the octets of one file of the log.
type source func(path string) ([]byte, error)

// vkeys are the keys that may sign the log, as given on the command line.
type vkeys []string

func (v *vkeys) String() string { return strings.Join(*v, " ") }

func (v *vkeys) Set(key string) error {
	*v = append(*v, key)
	return nil
}

func main() {
	var keys vkeys
	flag.Var(&keys, "vkey", "the log's public key, `<name>+<id>+<base64>`; again for a further one")
	index := flag.Int64("index", -1, "prove that this entry is included; default: the last one")
	flag.Parse()
	if flag.NArg() != 1 || len(keys) == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := verify(flag.Arg(0), keys, *index); err != nil {
		if errors.Is(err, errUndecided) {
			fmt.Fprintln(os.Stderr, "verify:", err)
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "verify: REFUSED.", err)
		os.Exit(1)
	}
}

func verify(where string, keys vkeys, index int64) error {
	var verifiers []note.Verifier
	for _, key := range keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return fmt.Errorf("%w: the key: %v", errUndecided, err)
		}
		if verifier.Name() != strings.SplitN(keys[0], "+", 2)[0] {
			return fmt.Errorf("%w: the keys are of different logs", errUndecided)
		}
		verifiers = append(verifiers, verifier)
	}
	read, err := open(where, os.Getenv("MC_TOKEN"))
	if err != nil {
		return err
	}
	tree, err := readCheckpoint(read, verifiers)
	if err != nil {
		return err
	}
	hashes, err := hashEntries(read, tree.N)
	if err != nil {
		return err
	}
	if tree.N > 0 {
		root, err := tlog.TreeHash(tree.N, hashes)
		if err != nil {
			return err
		}
		if root != tree.Hash {
			return fmt.Errorf("the %d entries lead to root %v, the checkpoint says %v", tree.N, root, tree.Hash)
		}
	}
	tiles, err := compareTiles(read, tree.N, hashes)
	if err != nil {
		return err
	}
	proved := "nothing to prove in an empty log"
	if tree.N > 0 {
		if proved, err = prove(read, tree, index); err != nil {
			return err
		}
	}
	fmt.Printf("verified: log %s, %d entries, root %v, %d tiles; %s\n", verifiers[0].Name(), tree.N, tree.Hash, tiles, proved)
	return nil
}

// readCheckpoint returns size and root after the signature held.
func readCheckpoint(read source, verifiers []note.Verifier) (tlog.Tree, error) {
	octets, err := read("checkpoint")
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("the checkpoint %w", err)
	}
	signed, err := note.Open(octets, note.VerifierList(verifiers...))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("the checkpoint: %v", err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 {
		return tlog.Tree{}, errors.New("the checkpoint has fewer than three lines")
	}
	if lines[0] != verifiers[0].Name() {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of the log %q, the key of %q", lines[0], verifiers[0].Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("the checkpoint's size is %q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("the checkpoint's root is %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// memory holds the hashes of the whole tree, in the order of tlog.StoredHashIndex.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(m)) {
			return nil, fmt.Errorf("the tree has no hash %d", index)
		}
		found[i] = m[index]
	}
	return found, nil
}

// hashEntries reads all bundles and returns the tree that their entries make.
// The stored leaf hashes beside them name the first entry that is wrong.
func hashEntries(read source, size int64) (memory, error) {
	var hashes memory
	for first := int64(0); first < size; first += width {
		count := size - first
		if count > width {
			count = width
		}
		leaves := tlog.Tile{H: height, L: 0, N: first / width, W: int(count)}
		entries, err := readBundle(read, leaves)
		if err != nil {
			return nil, fmt.Errorf("entries %d to %d: %w", first, first+count-1, err)
		}
		stored, err := readTile(read, leaves)
		if err != nil {
			return nil, err
		}
		for i, entry := range entries {
			index := first + int64(i)
			leaf := tlog.RecordHash(entry)
			if string(leaf[:]) != string(stored[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
				return nil, fmt.Errorf("entry %d was changed: its hash is %v, not the one in %s", index, leaf, place(leaves))
			}
			more, err := tlog.StoredHashesForRecordHash(index, leaf, hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, more...)
		}
	}
	return hashes, nil
}

// compareTiles checks every tile against the tree that the entries made.
func compareTiles(read source, size int64, hashes memory) (int, error) {
	count := 0
	for level := 0; size>>(height*level) > 0; level++ {
		nodes := size >> (height * level) // hashes of this level
		for first := int64(0); first < nodes; first += width {
			tile := tlog.Tile{H: height, L: level, N: first / width, W: width}
			if nodes-first < width {
				tile.W = int(nodes - first)
			}
			expected, err := tlog.ReadTileData(tile, hashes)
			if err != nil {
				return 0, err
			}
			stored, err := readTile(read, tile)
			if err != nil {
				return 0, err
			}
			if string(stored) != string(expected) {
				return 0, fmt.Errorf("%s holds other hashes than the entries lead to", place(tile))
			}
			count++
		}
	}
	return count, nil
}

// prove makes an inclusion proof from the served tiles alone and checks it.
func prove(read source, tree tlog.Tree, index int64) (string, error) {
	if index < 0 {
		index = tree.N - 1
	}
	if index >= tree.N {
		return "", fmt.Errorf("%w: the log has entries 0 to %d; there is no %d", errUndecided, tree.N-1, index)
	}
	served := tlog.TileHashReader(tree, tileReader{read})
	leaf, err := served.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return "", err
	}
	proof, err := tlog.ProveRecord(tree.N, index, served)
	if err != nil {
		return "", err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]); err != nil {
		return "", err
	}
	return fmt.Sprintf("entry %d included by %d hashes", index, len(proof)), nil
}

// tileReader gives tlog the tiles; tlog itself checks them against the root.
type tileReader struct{ read source }

func (r tileReader) Height() int { return height }

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, tile := range tiles {
		octets, err := readTile(r.read, tile)
		if err != nil {
			return nil, err
		}
		all[i] = octets
	}
	return all, nil
}

func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// place is the path in a log: tile/<L>/<N>, where Go's module mirror has tile/8/<L>/<N>.
func place(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

// bundlePlace is the path of the entries under a tile of leaf hashes.
func bundlePlace(leaves tlog.Tile) string {
	return strings.Replace(place(leaves), "tile/0/", "tile/entries/", 1)
}

func readTile(read source, tile tlog.Tile) ([]byte, error) {
	octets, err := read(place(tile))
	if errors.Is(err, errAbsent) && tile.W < width {
		// The log has grown: the wider tile begins with the same hashes.
		full := tile
		full.W = width
		octets, err = read(place(full))
		if err == nil && len(octets) > tile.W*tlog.HashSize {
			octets = octets[:tile.W*tlog.HashSize]
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s %w", place(tile), err)
	}
	if len(octets) != tile.W*tlog.HashSize {
		return nil, fmt.Errorf("%s has %d octets; %d hashes have %d", place(tile), len(octets), tile.W, tile.W*tlog.HashSize)
	}
	return octets, nil
}

func readBundle(read source, leaves tlog.Tile) ([][]byte, error) {
	octets, err := read(bundlePlace(leaves))
	cut := false
	if errors.Is(err, errAbsent) && leaves.W < width {
		full := leaves
		full.W = width
		octets, err = read(bundlePlace(full))
		cut = true
	}
	if err != nil {
		return nil, fmt.Errorf("%s %w", bundlePlace(leaves), err)
	}
	entries := make([][]byte, 0, leaves.W)
	for len(octets) > 0 && !(cut && len(entries) == leaves.W) {
		if len(octets) < 2 || len(octets)-2 < int(binary.BigEndian.Uint16(octets)) {
			return nil, fmt.Errorf("%s ends inside entry %d of it", bundlePlace(leaves), len(entries))
		}
		end := 2 + int(binary.BigEndian.Uint16(octets))
		entries = append(entries, octets[2:end])
		octets = octets[end:]
	}
	if len(entries) != leaves.W {
		return nil, fmt.Errorf("%s holds %d entries, not %d", bundlePlace(leaves), len(entries), leaves.W)
	}
	return entries, nil
}

// open returns a reader of a folder or of an http(s) address, which is shown the token.
func open(where, token string) (source, error) {
	if strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://") {
		if token != "" && inTheClear(where) {
			return nil, fmt.Errorf("%w: the token would travel in the clear; give an https address", errUndecided)
		}
		client := &http.Client{
			Timeout: 2 * time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		}
		return func(path string) ([]byte, error) {
			return fetch(client, strings.TrimRight(where, "/")+"/"+path, token)
		}, nil
	}
	return func(path string) ([]byte, error) {
		if info, err := os.Stat(where); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("cannot be read (%w): %s is not a folder", errUndecided, where)
		}
		file, err := os.Open(filepath.Join(where, filepath.FromSlash(path)))
		if errors.Is(err, os.ErrNotExist) {
			return nil, errAbsent
		}
		if err != nil {
			return nil, fmt.Errorf("cannot be read (%w): %v", errUndecided, err)
		}
		defer file.Close()
		return readAll(file)
	}, nil
}

// inTheClear tells whether others on the way could read what is sent there.
func inTheClear(address string) bool {
	place, err := url.Parse(address)
	if err != nil || place.Scheme == "https" {
		return false
	}
	ip := net.ParseIP(place.Hostname())
	return place.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

func fetch(client *http.Client, address, token string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot be read (%w): %v", errUndecided, err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("cannot be read (%w): %v", errUndecided, err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return readAll(answer.Body)
	case http.StatusNotFound, http.StatusGone:
		return nil, errAbsent
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("cannot be read (%w): %s answers %s; MC_TOKEN must hold a token that may read the log", errUndecided, address, answer.Status)
	}
	return nil, fmt.Errorf("cannot be read (%w): %s answers %s", errUndecided, address, answer.Status)
}

func readAll(from io.Reader) ([]byte, error) {
	octets, err := io.ReadAll(io.LimitReader(from, maxOctets+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read (%w): %v", errUndecided, err)
	}
	if len(octets) > maxOctets {
		return nil, fmt.Errorf("is longer than %d octets", maxOctets)
	}
	return octets, nil
}
