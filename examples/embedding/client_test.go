// A client of the CodySMS API, tested against otplab: the standard library and
// nothing else. OTPLAB names the program if it is not on the PATH.
package client

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

var server string

// One server for all tests, on a free port; its time stands still.
func TestMain(m *testing.M) {
	program := os.Getenv("OTPLAB")
	if program == "" {
		program = "otplab"
	}
	command := exec.Command(program, "serve",
		"--listen", "127.0.0.1:0", "--sms-delay", "5s", "--time-scale", "0")
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		panic(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n') // ready http://127.0.0.1:43210
	if err != nil {
		panic(err)
	}
	server = strings.Fields(line)[1]
	code := m.Run()
	command.Process.Signal(syscall.SIGTERM)
	if err := command.Wait(); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// A key of its own for each test, so that no test sees another.
type account struct {
	t   *testing.T
	key string
}

func newAccount(t *testing.T) account {
	t.Parallel()
	return account{t, fmt.Sprintf("%x", sha256.Sum256([]byte(t.Name())))[:60]}
}

type answer struct {
	Success     bool   `json:"success"`
	SmsReceived bool   `json:"sms_received"`
	SmsCode     string `json:"sms_code"`
	Result      string `json:"result"`
	User        struct {
		Balance string `json:"balance"`
	} `json:"user"`
	Rental struct {
		ID int `json:"id"`
	} `json:"rental"`
}

// Status and JSON of an answer.
func (a account) ask(method, path, body string) (int, answer) {
	a.t.Helper()
	request, err := http.NewRequest(method, server+path, bytes.NewBufferString(body))
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("Auth", a.key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	var read answer
	if err := json.NewDecoder(response.Body).Decode(&read); err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, read
}

// Moves this account's time, sends it an SMS, breaks something …
func (a account) control(path, body string) answer {
	a.t.Helper()
	status, read := a.ask("POST", "/__admin/"+path, body)
	if status != 200 {
		a.t.Fatalf("%s: %d", path, status)
	}
	return read
}

// The client under test would be here; these two functions stand for it.
func rent(a account) (int, answer) {
	return a.ask("POST", "/api/v1/number/rent", `{"service":"whatsapp"}`)
}

func poll(a account, rental int) answer {
	_, read := a.ask("GET", fmt.Sprintf("/api/v1/number/check-otp/%d", rental), "")
	return read
}

func TestTheCodeComesAfterFiveSeconds(t *testing.T) {
	a := newAccount(t)
	_, rented := rent(a)
	a.control("clock/advance", `{"duration":"4s"}`)
	if read := poll(a, rented.Rental.ID); read.SmsReceived {
		t.Errorf("too early: %+v", read)
	}
	a.control("clock/advance", `{"duration":"1s"}`)
	if read := poll(a, rented.Rental.ID); !read.SmsReceived || read.SmsCode == "" {
		t.Errorf("no code: %+v", read)
	}
}

func TestAnSmsMaySayWhatTheTestWants(t *testing.T) {
	a := newAccount(t)
	_, rented := rent(a)
	a.control(fmt.Sprintf("rentals/%d/sms", rented.Rental.ID), `{"code":"0042"}`)
	if read := poll(a, rented.Rental.ID); read.SmsCode != "0042" {
		t.Errorf("another code: %+v", read)
	}
}

func TestARentalThatEndsWithoutAnSmsIsRefunded(t *testing.T) {
	a := newAccount(t)
	_, before := a.ask("GET", "/api/v1/profile", "")
	_, rented := rent(a)
	a.control(fmt.Sprintf("rentals/%d/expire", rented.Rental.ID), "")
	if read := poll(a, rented.Rental.ID); read.Success {
		t.Errorf("it lives: %+v", read)
	}
	if _, after := a.ask("GET", "/api/v1/profile", ""); after.User != before.User {
		t.Errorf("%s is not %s", after.User.Balance, before.User.Balance)
	}
}

func TestALostServerIsMetOnceAndSeenInTheJournal(t *testing.T) {
	a := newAccount(t)
	a.control("faults", `{"rule":"rent: status(503) first 1"}`)
	for _, expected := range []int{503, 200} {
		if status, _ := rent(a); status != expected {
			t.Errorf("%d instead of %d", status, expected)
		}
	}
	wanted := `{"match":{"operation":"rent"},"times":{"exactly":2}}`
	if read := a.control("verify", wanted); read.Result != "pass" {
		t.Errorf("%s", read.Result)
	}
}
