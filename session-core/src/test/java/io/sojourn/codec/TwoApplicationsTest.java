package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.sojourn.AttributeCodec;
import io.sojourn.EncodedValue;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two web applications on one server have classes of the same names. */
@Tag("R38")
@Tag("G8")
class TwoApplicationsTest {

  private static final String[] SOURCES = {
    "class Cart implements Serializable {"
        + " public static Object make() { return new Cart(); } }",
    "enum Size { S; public static Object make() { return S; } }",
    "record Tag(String text) implements Serializable {"
        + " public static Object make() { return new Tag(\"t\"); } }",
    "class Hooked implements Serializable { private Object readResolve() { return this; }"
        + " public static Object make() { return new Hooked(); } }",
    "interface Face { }",
    "class Handler implements java.lang.reflect.InvocationHandler, Serializable {"
        + " public Object invoke(Object p, java.lang.reflect.Method m, Object[] a) { return null; }"
        + " public static Object make() { return java.lang.reflect.Proxy.newProxyInstance("
        + "Handler.class.getClassLoader(), new Class<?>[] {Face.class}, new Handler()); } }",
  };

  private static List<Object> values(Compiled application) {
    List<Object> values = new ArrayList<>();
    for (String name : List.of("Cart", "Size", "Tag", "Hooked", "Handler")) {
      values.add(application.make(name));
    }
    return values;
  }

  @Test
  void eachGetsItsOwnClassesHoweverDeepTheyAre() {
    Compiled one = Compiled.of(SOURCES);
    Compiled other = Compiled.of(SOURCES);
    for (Object value : values(one)) {
      Object nested =
          new ArrayList<>(
              List.of(new HashMap<>(Map.of("key", new Object[] {value})), List.of(value)));
      for (AttributeCodec writer : List.of(one.codec(), one.javaCodec())) {
        EncodedValue encoded = writer.encode(nested);
        for (Compiled application : List.of(one, other)) {
          for (AttributeCodec reader : List.of(application.codec(), application.javaCodec())) {
            List<?> decoded = (List<?>) reader.decode(encoded);
            Object array = ((Map<?, ?>) decoded.get(0)).values().iterator().next();
            Object inMap = ((Object[]) array)[0];

            assertThat(inMap).isSameAs(((List<?>) decoded.get(1)).get(0));
            assertThat(loaderOf(inMap)).isSameAs(application);
          }
        }
      }
    }
  }

  private static ClassLoader loaderOf(Object value) {
    return Proxy.isProxyClass(value.getClass())
        ? value.getClass().getInterfaces()[0].getClassLoader()
        : value.getClass().getClassLoader();
  }

  @Test
  void aThreadOfTheServersOrOfAnotherApplicationFindsThemToo()
      throws ExecutionException, InterruptedException {
    Compiled one = Compiled.of(SOURCES);
    Compiled other = Compiled.of(SOURCES);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      for (ClassLoader context : new ClassLoader[] {null, other}) {
        for (Object value : values(one)) {
          for (AttributeCodec codec : List.of(one.codec(), one.javaCodec())) {
            Object decoded =
                thread
                    .submit(
                        () -> {
                          Thread.currentThread().setContextClassLoader(context);
                          return codec.decode(codec.encode(value));
                        })
                    .get();

            assertThat(loaderOf(decoded)).isSameAs(one);
          }
        }
      }
    } finally {
      thread.shutdownNow();
    }
  }
}
