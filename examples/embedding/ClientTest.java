// A client of the CodySMS API, tested against otplab: JUnit 4 and java.net.http.
// OTPLAB names the program if it is not on the PATH.

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.MessageDigest;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TestName;

public class ClientTest {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static Process process;
    private static String server;

    @Rule public final TestName name = new TestName();
    private String key;

    /** One server for all tests, on a free port; its time stands still. */
    @BeforeClass
    public static void start() throws Exception {
        String program = System.getenv().getOrDefault("OTPLAB", "otplab");
        process = new ProcessBuilder(program, "serve",
                "--listen", "127.0.0.1:0", "--sms-delay", "5s", "--time-scale", "0")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
        var out = new BufferedReader(new InputStreamReader(process.getInputStream()));
        server = out.readLine().split(" ")[1]; // ready http://127.0.0.1:43210
    }

    @AfterClass
    public static void stop() throws Exception {
        process.destroy();
        assertTrue(process.waitFor(10, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue());
    }

    /** A key of its own for each test, so that no test sees another. */
    @Before
    public void makeKey() throws Exception {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(name.getMethodName().getBytes());
        key = String.format("%064x", new BigInteger(1, hash)).substring(0, 60);
    }

    private HttpResponse<String> ask(String method, String path, String body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(server + path))
            .header("Auth", key)
            .header("Content-Type", "application/json")
            .method(method, BodyPublishers.ofString(body))
            .build();
        return HTTP.send(request, BodyHandlers.ofString());
    }

    /** Moves this account's time, sends it an SMS, breaks something … */
    private String control(String path, String body) throws Exception {
        var answer = ask("POST", "/__admin/" + path, body);
        assertEquals(answer.body(), 200, answer.statusCode());
        return answer.body();
    }

    // The client under test would be here; these two methods stand for it.
    private HttpResponse<String> rent() throws Exception {
        return ask("POST", "/api/v1/number/rent", "{\"service\":\"whatsapp\"}");
    }

    private String poll(String rental) throws Exception {
        return ask("GET", "/api/v1/number/check-otp/" + rental, "").body();
    }

    /** A field of JSON; a client would use a library. */
    private static String field(String name, String json) {
        var found = Pattern.compile("\"" + name + "\":\"?([^\",}]*)").matcher(json);
        assertTrue(json, found.find());
        return found.group(1);
    }

    @Test
    public void theCodeComesAfterFiveSeconds() throws Exception {
        String rental = field("id", rent().body());
        control("clock/advance", "{\"duration\":\"4s\"}");
        assertEquals("false", field("sms_received", poll(rental)));
        control("clock/advance", "{\"duration\":\"1s\"}");
        String answer = poll(rental);
        assertEquals("true", field("sms_received", answer));
        assertTrue(answer, field("sms_code", answer).matches("\\d+"));
    }

    @Test
    public void anSmsMaySayWhatTheTestWants() throws Exception {
        String rental = field("id", rent().body());
        control("rentals/" + rental + "/sms", "{\"code\":\"0042\"}");
        assertEquals("0042", field("sms_code", poll(rental)));
    }

    @Test
    public void aRentalThatEndsWithoutAnSmsIsRefunded() throws Exception {
        String before = field("balance", ask("GET", "/api/v1/profile", "").body());
        String rental = field("id", rent().body());
        control("rentals/" + rental + "/expire", "");
        assertEquals("false", field("success", poll(rental)));
        assertEquals(before, field("balance", ask("GET", "/api/v1/profile", "").body()));
    }

    @Test
    public void aLostServerIsMetOnceAndSeenInTheJournal() throws Exception {
        control("faults", "{\"rule\":\"rent: status(503) first 1\"}");
        assertEquals(503, rent().statusCode());
        assertEquals(200, rent().statusCode());
        String wanted = "{\"match\":{\"operation\":\"rent\"},\"times\":{\"exactly\":2}}";
        assertEquals("pass", field("result", control("verify", wanted)));
    }
}
