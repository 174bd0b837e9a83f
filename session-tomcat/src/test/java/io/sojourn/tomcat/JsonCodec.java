package io.sojourn.tomcat;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.tomcat.util.json.JSONParser;
import org.apache.tomcat.util.json.ParseException;
import org.jspecify.annotations.Nullable;

/** A user's codec, as an example: text, numbers, truth, lists and maps of text, as JSON. */
public final class JsonCodec implements AttributeCodec {

  private static final byte FORMAT = (byte) 200;

  /** One for each application, which its manager makes. */
  public JsonCodec() {}

  @Override
  public EncodedValue encode(Object value) {
    StringBuilder json = new StringBuilder("{\"value\":");
    write(value, json);
    byte[] text = json.append('}').toString().getBytes(UTF_8);
    byte[] bytes = new byte[text.length + 1];
    bytes[0] = FORMAT;
    System.arraycopy(text, 0, bytes, 1, text.length);
    return EncodedValue.of(bytes);
  }

  private static void write(@Nullable Object value, StringBuilder json) {
    if (value instanceof String text) {
      json.append('"');
      text.chars()
          .forEach(
              c -> {
                if (c < 0x20 || c == '"' || c == '\\' || c > 0x7E) {
                  json.append(String.format("\\u%04x", c));
                } else {
                  json.append((char) c);
                }
              });
      json.append('"');
    } else if (value instanceof List<?> list) {
      char separator = '[';
      for (Object element : list) {
        json.append(separator);
        write(element, json);
        separator = ',';
      }
      json.append(list.isEmpty() ? "[]" : "]");
    } else if (value instanceof Map<?, ?> map) {
      char separator = '{';
      // In order, so that an unchanged map is encoded to the same bytes.
      for (Map.Entry<?, ?> entry : new TreeMap<Object, Object>(map).entrySet()) {
        json.append(separator);
        write(String.valueOf(entry.getKey()), json);
        json.append(':');
        write(entry.getValue(), json);
        separator = ',';
      }
      json.append(map.isEmpty() ? "{}" : "}");
    } else if (value == null || value instanceof Boolean || value instanceof Number) {
      json.append(value);
    } else {
      throw new EncodeException("JSON has no " + value.getClass().getName(), null);
    }
  }

  @Override
  public boolean reads(byte format) {
    return format == FORMAT;
  }

  @Override
  public Object decode(EncodedValue value) {
    if (value.bytes()[0] != FORMAT) {
      throw new DecodeException("It is not JSON", null);
    }
    String text = new String(value.bytes(), 1, value.size() - 1, UTF_8);
    try {
      Object found = new JSONParser(text).object().get("value");
      if (found == null) {
        throw new DecodeException("There is no value in it", null);
      }
      return found instanceof List<?> list ? new ArrayList<>(list) : found;
    } catch (ParseException e) {
      throw new DecodeException("It is no JSON", e);
    }
  }

  @Override
  public boolean isImmutable(Object value) {
    return value instanceof String || value instanceof Number || value instanceof Boolean;
  }

  @Override
  public Optional<String> refusal(Object value) {
    return isImmutable(value) || value instanceof List || value instanceof Map
        ? Optional.empty()
        : Optional.of("JSON has no " + value.getClass().getName());
  }
}
