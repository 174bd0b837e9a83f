package io.sojourn.codec;

import io.sojourn.DecodeException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An enum's constants, by name, so that their order may change. */
final class EnumForm extends GraphForm<Object> {

  private final Class<?> type;

  /** Filled at the first constant that is read: asking for the constants initialises the enum. */
  private volatile @Nullable Map<String, Object> constants;

  EnumForm(Class<?> type) {
    this.type = type;
  }

  @Override
  void encode(Graph graph, GraphOutput out, Object value) {
    out.text(((Enum<?>) value).name());
  }

  @Override
  Object decode(Graph graph, GraphInput in) {
    Object constant = constants().get(in.text());
    if (constant != null) {
      return constant;
    }
    if (graph.isSkipping()) {
      return graph.missing();
    }
    throw new DecodeException(type.getName() + " has no constant of the name stored", null);
  }

  private Map<String, Object> constants() {
    Map<String, Object> known = constants;
    if (known == null) {
      known = new HashMap<>();
      for (Object constant : type.getEnumConstants()) {
        known.put(((Enum<?>) constant).name(), constant);
      }
      constants = known;
    }
    return known;
  }
}
