import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;

/**
 * 问一门平台：一件事项、一位申请人，哪些材料政府已有。 / Asks a Yimen exchange which of an item's materials government already holds.
 *
 * <pre>echo 91430281000000019C | YIMEN_URL=https://… YIMEN_CA=roots.crt YIMEN_TOKEN=window.token java Query.java food-licence-new LL-2026-1123-0041</pre>
 *
 * 号码从标准输入读，令牌和证书从文件读：都不出现在命令行、地址或环境变量中。
 * The number comes by standard input, token and certificate from files: none of them stands in a command line, an address or the environment.
 *
 * YIMEN_TOKEN: 写有令牌的文件 / a file that holds the token. YIMEN_CERT: yimen enroll 写下的 identity.key / as yimen enroll wrote it.
 * YIMEN_PATIENCE: 总共等多少秒，默认 60 / how many seconds to wait, all in all; 60.
 * Java 17 起，没有依赖。 / Java 17 or later, no dependencies. 退出码 / exit code: 0 有结论 answered, 1 被拒绝 refused, 2 用法 usage
 */
public final class Query {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final HttpClient http;
    private final String base;
    private final String token; // null: the certificate alone
    private final Duration patience;

    Query(String base, String token, SSLContext tls, Duration patience) {
        this.base = base.replaceAll("/+$", "");
        this.token = token;
        this.patience = patience;
        // No redirection is followed: numbers and tokens go to the exchange that they were meant for and to nobody else.
        this.http = HttpClient.newBuilder().sslContext(tls).connectTimeout(Duration.ofSeconds(10)).followRedirects(HttpClient.Redirect.NEVER).build();
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
        Map<String, String> env = System.getenv();
        if (args.length != 2 || !env.containsKey("YIMEN_URL") || !env.containsKey("YIMEN_CA") || !env.containsKey("YIMEN_TOKEN") && !env.containsKey("YIMEN_CERT")) {
            err.println("用法 / usage: YIMEN_URL=… YIMEN_CA=… YIMEN_TOKEN=FILE java Query.java ITEM CASE < number");
            System.exit(2);
        }
        String token = env.containsKey("YIMEN_TOKEN") ? Files.readString(Path.of(env.get("YIMEN_TOKEN"))).strip() : null;
        Query query = new Query(env.get("YIMEN_URL"), token, trusting(env.get("YIMEN_CA"), env.get("YIMEN_CERT")),
                Duration.ofSeconds(Long.parseLong(env.getOrDefault("YIMEN_PATIENCE", "60"))));
        String number = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
        try {
            Map<?, ?> conclusion = query.ask(args[0], args[1], number == null ? "" : number.strip());
            for (Object each : (List<?>) conclusion.get("answers")) {
                Map<?, ?> material = (Map<?, ?>) each;
                Object reason = material.get("reason");
                out.println(String.join("\t", text(material, "outcome"), text(material, "material"), text((Map<?, ?>) material.get("name"), "zh"), reason == null ? "" : reason.toString()));
            }
            out.println("回执 / receipt " + text((Map<?, ?>) conclusion.get("receipt"), "id"));
        } catch (Refused | IOException e) {
            err.println(e.getMessage() == null ? e.toString() : e.getMessage());
            System.exit(1);
        }
    }

    /** What the exchange refused, after RFC 9457. */
    static final class Refused extends Exception {
        Refused(int status, Map<?, ?> problem) {
            super(problem.isEmpty() ? "HTTP " + status : text(problem, "code") + ": " + text(problem, "title") + "\n" + text(problem, "detail") + "\n→ " + text(problem, "mend"));
        }
    }

    /** Asks until there is an answer, a refusal that waiting does not change, or no more patience. */
    Map<?, ?> ask(String item, String matter, String applicant) throws IOException, InterruptedException, Refused {
        String body = "{\"case\":" + Json.quoted(matter) + ",\"item\":" + Json.quoted(item) + ",\"applicant\":" + Json.quoted(applicant) + "}";
        String key = random(); // the same with each sending: it is carried out once
        Instant until = Instant.now().plus(patience);
        for (long pause = 1;; pause = Math.min(2 * pause, 8)) {
            long wait = pause;
            try {
                HttpResponse<String> answer = send(body, key);
                int status = answer.statusCode();
                Map<?, ?> told = object(answer.body());
                if (status == 200) {
                    return told;
                }
                String after = answer.headers().firstValue("Retry-After").filter(s -> s.matches("[0-9]{1,9}")).orElse("");
                if (!Set.of(429, 502, 503, 504).contains(status) || status == 429 && after.isEmpty()) { // without Retry-After waiting does not help
                    throw new Refused(status, told);
                }
                wait = after.isEmpty() ? pause : Long.parseLong(after);
                if (Instant.now().plusSeconds(wait).isAfter(until)) {
                    throw new Refused(status, told);
                }
            } catch (SSLHandshakeException e) { // somebody else's certificate does not become right
                throw e;
            } catch (IOException e) { // not reached, too slow, cut off
                if (Instant.now().plusSeconds(wait).isAfter(until)) {
                    throw e;
                }
            }
            Thread.sleep(Duration.ofSeconds(wait).toMillis());
        }
    }

    private HttpResponse<String> send(String body, String key) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/v1/queries")).timeout(Duration.ofSeconds(30))
                .header("Content-Type", "application/json").header("Idempotency-Key", key)
                .header("Yimen-Nonce", random()) // new with each sending: a copy is refused
                .header("Yimen-Time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString())
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String random() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** Trusts the city's roots and nobody else; shows the certificate of the key file, if there is one. */
    static SSLContext trusting(String roots, String identity) throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (Certificate root : certificates(Files.readString(Path.of(roots)))) {
            trusted.setCertificateEntry("root-" + trusted.size(), root);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyManager[] shown = null;
        if (identity != null) {
            String pem = Files.readString(Path.of(identity));
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(null, null);
            own.setKeyEntry("identity", key(pem), new char[0], certificates(pem).toArray(new Certificate[0]));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, new char[0]);
            shown = keys.getKeyManagers();
        }
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(shown, trust.getTrustManagers(), null);
        return tls;
    }

    private static List<Certificate> certificates(String pem) throws GeneralSecurityException {
        List<Certificate> all = new ArrayList<>();
        Matcher block = Pattern.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", Pattern.DOTALL).matcher(pem);
        while (block.find()) {
            all.add(CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(block.group().getBytes(StandardCharsets.US_ASCII))));
        }
        return all;
    }

    private static PrivateKey key(String pem) throws GeneralSecurityException {
        Matcher block = Pattern.compile("-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----", Pattern.DOTALL).matcher(pem);
        if (!block.find()) {
            throw new InvalidKeySpecException("there is no private key in YIMEN_CERT");
        }
        PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(block.group(1)));
        try {
            return KeyFactory.getInstance("EdDSA").generatePrivate(spec);
        } catch (InvalidKeySpecException e) {
            return KeyFactory.getInstance("EC").generatePrivate(spec);
        }
    }

    private static Map<?, ?> object(String body) {
        try {
            return new Json(body).read() instanceof Map<?, ?> map ? map : Map.of();
        } catch (RuntimeException e) { // somebody else answered, such as a proxy
            return Map.of();
        }
    }

    private static String text(Map<?, ?> of, String member) {
        Object value = of.get(member);
        return value == null ? "" : value.toString();
    }

    /** As much of a JSON reader as this needs, because Java has none: numbers stay texts. In a real program use a library. */
    static final class Json {
        private final String in;
        private int at;

        Json(String in) {
            this.in = in;
        }

        Object read() {
            char first = next();
            switch (first) {
                case '{':
                    Map<String, Object> map = new LinkedHashMap<>();
                    for (char c = next(); c != '}'; c = next()) {
                        if (c == ',') {
                            c = next();
                        }
                        String name = string();
                        expect(next() == ':');
                        map.put(name, read());
                    }
                    return map;
                case '[':
                    List<Object> list = new ArrayList<>();
                    for (char c = next(); c != ']'; c = next()) {
                        if (c != ',') {
                            at--;
                        }
                        list.add(read());
                    }
                    return list;
                case '"':
                    return string();
                default:
                    int from = at - 1;
                    while (at < in.length() && ",]} \t\r\n".indexOf(in.charAt(at)) < 0) {
                        at++;
                    }
                    String word = in.substring(from, at);
                    return word.equals("null") ? null : word;
            }
        }

        private char next() {
            while (Character.isWhitespace(in.charAt(at))) {
                at++;
            }
            return in.charAt(at++);
        }

        /** A string whose quote has been read. */
        private String string() {
            StringBuilder out = new StringBuilder();
            for (char c = in.charAt(at++); c != '"'; c = in.charAt(at++)) {
                if (c == '\\') {
                    c = in.charAt(at++);
                    int plain = "bfnrt".indexOf(c);
                    if (c == 'u') {
                        c = (char) Integer.parseInt(in.substring(at, at += 4), 16);
                    } else if (plain >= 0) {
                        c = "\b\f\n\r\t".charAt(plain);
                    }
                }
                out.append(c);
            }
            return out.toString();
        }

        private static void expect(boolean sound) {
            if (!sound) {
                throw new IllegalArgumentException("no sound JSON");
            }
        }

        static String quoted(String text) {
            StringBuilder out = new StringBuilder("\"");
            for (char c : text.toCharArray()) {
                out.append(c < ' ' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : c);
            }
            return out.append('"').toString();
        }
    }
}
