// Gradients from Java: one by evaluate, then a line fitted by gradient descent in a session. Java 17 or newer, nothing but its standard
// library: java examples/Gradwire.java

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

public class Gradwire {
    static final String URL = Optional.ofNullable(System.getenv("GRADWIRE_URL")).orElse("http://127.0.0.1:8000");
    static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    static String session;
    static int seq = 0;

    public static void main(String[] arguments) throws Exception {
        // z = x0² + x1² at (2, 3): its gradient is (4, 6).
        Object answer = call("POST", "/v1/evaluate", """
            {"inputs":   {"x": {"data": [2.0, 3.0], "requires_grad": true}},
             "nodes":    [{"name": "y", "op": "mul", "args": ["x", "x"]}, {"name": "z", "op": "sum", "args": ["y"]}],
             "outputs":  ["z"],
             "backward": "z"}""");
        print("z = %.1f, gradient = (%.1f, %.1f)", at(answer, "outputs", "z", "data"), at(answer, "grads", "x", "data", 0),
            at(answer, "grads", "x", "data", 1));

        // A session keeps tensors between requests.
        session = (String) at(call("POST", "/v1/sessions", "{\"default_dtype\": \"float64\"}"), "id");
        batch("""
            [{"do": "create", "name": "x", "tensor": [0.0, 1.0, 2.0, 3.0]},
             {"do": "create", "name": "y", "tensor": [1.0, 3.1, 4.9, 7.0]},
             {"do": "create", "name": "w", "tensor": {"data": 0.0, "requires_grad": true}},
             {"do": "create", "name": "b", "tensor": {"data": 0.0, "requires_grad": true}}]""");
        for (int step = 1; step <= 40; step++) {
            Object results = batch("""
                [{"do": "op", "name": "wx", "op": "mul", "args": ["w", "x"]},
                 {"do": "op", "name": "guess", "op": "add", "args": ["wx", "b"]},
                 {"do": "op", "name": "loss", "op": "nn.functional.mse_loss", "args": ["guess", "y"]},
                 {"do": "backward", "of": "loss"},
                 {"do": "op", "op": "add_", "args": ["w", "w.grad"], "kwargs": {"alpha": -0.1}, "no_grad": true},
                 {"do": "op", "op": "add_", "args": ["b", "b.grad"], "kwargs": {"alpha": -0.1}, "no_grad": true},
                 {"do": "set", "name": "w", "grad": null},
                 {"do": "set", "name": "b", "grad": null},
                 {"do": "read", "name": "loss"},
                 {"do": "delete", "names": ["wx", "guess", "loss"]}]""");
            if (step % 10 == 0) {
                print("step %d  loss %.6f", step, at(results, 8, "value", "data"));
            }
        }
        Object results = batch("""
            [{"do": "read", "name": "w"}, {"do": "read", "name": "b"}]""");
        print("y = %.4f x + %.4f", at(results, 0, "value", "data"), at(results, 1, "value", "data"));
        call("DELETE", "/v1/sessions/" + session, "");
    }

    /** Runs instructions and gives their results. Batches are numbered, so that one that is sent again is not applied again. */
    static Object batch(String instructions) throws Exception {
        String body = "{\"seq\": " + ++seq + ", \"instructions\": " + instructions + "}";
        return at(call("POST", "/v1/sessions/" + session + "/batch", body), "results");
    }

    static Object call(String method, String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(URL + path)).header("Content-Type", "application/json")
            .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body)).build();
        var response = HTTP.send(request, BodyHandlers.ofString());
        if (response.statusCode() >= 400) {
            throw new IllegalStateException(response.body());
        }
        return response.body().isEmpty() ? null : new Json(response.body()).value();
    }

    /** What stands in a JSON value at a path of names and positions. */
    static Object at(Object value, Object... path) {
        for (Object key : path) {
            value = key instanceof Integer i ? ((List<?>) value).get(i) : ((Map<?, ?>) value).get(key);
        }
        return value;
    }

    static void print(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }

    /** Java has no JSON of its own; these few lines read it. A real program takes a library. */
    static class Json {
        private final String text;
        private int place = 0;

        Json(String text) {
            this.text = text;
        }

        Object value() {
            switch (next()) {
                case '{': {
                    Map<String, Object> object = new LinkedHashMap<>();
                    for (place++; next() != '}'; skip(',')) {
                        String name = string();
                        next();
                        skip(':');
                        object.put(name, value());
                        next();
                    }
                    place++;
                    return object;
                }
                case '[': {
                    List<Object> list = new ArrayList<>();
                    for (place++; next() != ']'; skip(',')) {
                        list.add(value());
                        next();
                    }
                    place++;
                    return list;
                }
                case '"':
                    return string();
                default:
                    int start = place;
                    while (place < text.length() && ",]} \n\r\t".indexOf(text.charAt(place)) < 0) {
                        place++;
                    }
                    String word = text.substring(start, place);
                    return word.equals("null") ? null : word.matches("true|false") ? (Object) Boolean.valueOf(word) : Double.valueOf(word);
            }
        }

        private String string() {
            StringBuilder result = new StringBuilder();
            for (place++; text.charAt(place) != '"'; place++) {
                char c = text.charAt(place);
                if (c == '\\') {
                    c = text.charAt(++place);
                    if (c == 'u') {
                        c = (char) Integer.parseInt(text.substring(place + 1, place + 5), 16);
                        place += 4;
                    } else if ("bfnrt".indexOf(c) >= 0) {
                        c = "\b\f\n\r\t".charAt("bfnrt".indexOf(c));
                    }
                }
                result.append(c);
            }
            place++;
            return result.toString();
        }

        private char next() {
            while (Character.isWhitespace(text.charAt(place))) {
                place++;
            }
            return text.charAt(place);
        }

        private void skip(char c) {
            if (text.charAt(place) == c) {
                place++;
            }
        }
    }
}
