// The rest of a client: it rents, and asks as the code below says.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

func call(method, path, body string) map[string]any {
	request, err := http.NewRequest(method, "http://127.0.0.1:"+os.Args[1]+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Auth", os.Args[2])
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	var decoded map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&decoded); err != nil {
		panic(err)
	}
	return decoded
}

func main() {
	rental := call("POST", "/number/rent", `{"service":"whatsapp"}`)["rental"].(map[string]any)
	path := fmt.Sprintf("/number/check-otp/%.0f", rental["id"])
	rentedAt := time.Now()
	var asked []time.Duration
	code, err := waitForCode(context.Background(), func() (string, error) {
		asked = append(asked, time.Since(rentedAt))
		code, _ := call("GET", path, "")["sms_code"].(string)
		return code, nil
	}, rentedAt)
	if err != nil {
		panic(err)
	}
	if code == "" {
		code = "none"
	}
	fmt.Println(code, len(asked), asked[len(asked)-1].Milliseconds())
}

