package io.sojourn.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.esotericsoftware.kryo.kryo5.io.Output;
import io.sojourn.AttributeCodec;
import io.sojourn.DecodeException;
import io.sojourn.EncodeException;
import io.sojourn.EncodedValue;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.rmi.registry.LocateRegistry;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.SignedObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.commons.beanutils.BeanComparator;
import org.apache.commons.collections.Transformer;
import org.apache.commons.collections.functors.ChainedTransformer;
import org.apache.commons.collections.functors.ConstantTransformer;
import org.apache.commons.collections.functors.InvokerTransformer;
import org.apache.commons.collections.keyvalue.TiedMapEntry;
import org.apache.commons.collections.map.LazyMap;
import org.apache.commons.collections4.comparators.TransformingComparator;
import org.codehaus.groovy.runtime.ConvertedClosure;
import org.codehaus.groovy.runtime.MethodClosure;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Chains of objects that run code of an attacker's choice while they are deserialized, of the
 * libraries that were attacked so, are refused before the first of their classes is loaded. The
 * class path here has these libraries, and the filters trust them as far as a user can make them.
 */
@Tag("R57")
@Tag("G10")
@SuppressWarnings({"URLEqualsHashCode", "serial"})
class GadgetChainTest {

  private static final String FLAG = "io.sojourn.gadget";

  /** The beginnings of the names of classes that chains are made of. */
  private static final List<String> GADGETS =
      List.of(
          "org.apache.commons.collections",
          "org.apache.commons.beanutils",
          "org.codehaus.groovy",
          "groovy.",
          "java.rmi.",
          "sun.rmi.",
          "java.security.",
          "org.springframework.core.SerializableTypeWrapper");

  private final Set<String> asked = ConcurrentHashMap.newKeySet();
  private final ClassLoader application =
      new ClassLoader(getClass().getClassLoader()) {
        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
          asked.add(name);
          return super.loadClass(name, resolve);
        }
      };

  private List<AttributeCodec> codecs() {
    ClassFilter everything =
        ClassFilter.ofApplication(
            getClass().getClassLoader(),
            "WEB-INF/lib/* org.** com.** groovy.** sun.** io.sojourn.**");
    ClassFilter usual = ClassFilter.of("io.sojourn.codec.*");
    return List.of(
        new KryoCodec(application, everything),
        new JavaCodec(application, everything),
        new KryoCodec(application, usual),
        new JavaCodec(application, usual));
  }

  @BeforeEach
  void forget() {
    System.clearProperty(FLAG);
  }

  /** What the live ones run. */
  public static final class Bean implements Serializable {
    private final int number;

    Bean(int number) {
      this.number = number;
    }

    public int getNumber() {
      System.setProperty(FLAG, "ran");
      return number;
    }
  }

  /** Those that run under this JDK and in these versions. */
  static Stream<Arguments> live() throws Exception {
    return Stream.of(
        arguments("LazyMap, TiedMapEntry in a HashSet", collections3()),
        arguments("TransformingComparator in a PriorityQueue", collections4()),
        arguments("BeanComparator in a PriorityQueue", beanutils()));
  }

  static Stream<Arguments> chains() throws Exception {
    return Stream.concat(
        live(),
        Stream.of(
            arguments("URLDNS", url()),
            arguments("ConvertedClosure", groovy()),
            arguments("JRMPClient", LocateRegistry.getRegistry("127.0.0.1", 1)),
            arguments("SignedObject", signed())));
  }

  private static Object collections3() {
    Transformer chain =
        new ChainedTransformer(
            new Transformer[] {
              new ConstantTransformer(System.class),
              new InvokerTransformer(
                  "getMethod",
                  new Class<?>[] {String.class, Class[].class},
                  new Object[] {"setProperty", new Class<?>[] {String.class, String.class}}),
              new InvokerTransformer(
                  "invoke",
                  new Class<?>[] {Object.class, Object[].class},
                  new Object[] {null, new Object[] {FLAG, "ran"}}),
              new ConstantTransformer(1)
            });
    Map<?, ?> lazy = LazyMap.decorate(new HashMap<>(), chain);
    HashSet<Object> set = new HashSet<>(List.of(new TiedMapEntry(lazy, "k")));
    lazy.clear();
    return set;
  }

  private static Object collections4() {
    PriorityQueue<Object> queue =
        new PriorityQueue<>(
            2,
            new TransformingComparator<Object, Integer>(
                new org.apache.commons.collections4.functors.InvokerTransformer<>(
                    "getNumber", new Class<?>[0], new Object[0])));
    queue.add(new Bean(1));
    queue.add(new Bean(2));
    return queue;
  }

  private static Object beanutils() {
    PriorityQueue<Object> queue = new PriorityQueue<>(2, new BeanComparator<>("number"));
    queue.add(new Bean(1));
    queue.add(new Bean(2));
    return queue;
  }

  private static Object url() throws IOException {
    URL url =
        new URL(
            null,
            "http://attacker.invalid",
            new URLStreamHandler() {
              @Override
              protected @Nullable URLConnection openConnection(URL u) {
                return null;
              }

              @Override
              protected synchronized @Nullable InetAddress getHostAddress(URL u) {
                return null;
              }
            });
    Map<URL, String> map = new HashMap<>();
    map.put(url, "looked up by its host's address");
    return map;
  }

  private static Object groovy() {
    Object comparator =
        Proxy.newProxyInstance(
            GadgetChainTest.class.getClassLoader(),
            new Class<?>[] {Comparator.class},
            new ConvertedClosure(new MethodClosure("touch /tmp/pwned", "execute"), "compare"));
    return new ArrayList<>(List.of(comparator));
  }

  private static Object signed() throws Exception {
    KeyPairGenerator keys = KeyPairGenerator.getInstance("EC");
    return new SignedObject(
        (Serializable) collections3(),
        keys.generateKeyPair().getPrivate(),
        Signature.getInstance("SHA256withECDSA"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("live")
  void theseChainsRunWhereNobodyRefusesThem(String name, Object chain) throws Exception {
    forget();
    Object unused = RoundTripTest.byJava(chain);

    assertThat(System.getProperty(FLAG)).isEqualTo("ran");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("chains")
  void aPlantedChainIsRefusedBeforeAnyOfItRuns(String name, Object chain) {
    forget();
    for (Object planted :
        List.of(
            chain,
            new ArrayList<>(List.of(1, chain)),
            new HashMap<>(Map.of("k", chain)),
            new Samples.Box(chain),
            new Samples.Holder(chain, "hidden in what a hook writes"))) {
      refused(Stored.byJava(planted));
      for (AttributeCodec codec : codecs()) {
        assertThatThrownBy(() -> codec.encode(planted)).isInstanceOf(EncodeException.class);
      }
    }
  }

  private void refused(EncodedValue value) {
    for (AttributeCodec codec : codecs()) {
      asked.clear();
      assertThatThrownBy(() -> codec.decode(value))
          .asInstanceOf(type(DecodeException.class))
          .matches(DecodeException::isRefusedClass);
      assertThat(asked).noneMatch(name -> GADGETS.stream().anyMatch(name::startsWith));
      assertThat(System.getProperty(FLAG)).isNull();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bsh.XThis$Handler",
        "clojure.inspector.proxy$javax.swing.table.AbstractTableModel$ff19274a",
        "com.mchange.v2.c3p0.impl.PoolBackedDataSourceBase",
        "com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl",
        "com.sun.rowset.JdbcRowSetImpl",
        "groovy.util.Expando",
        "java.beans.EventHandler",
        "java.io.File",
        "java.io.FileOutputStream",
        "java.lang.ProcessBuilder",
        "java.lang.Runtime",
        "java.lang.reflect.Method",
        "java.net.URL",
        "java.rmi.server.UnicastRemoteObject",
        "java.security.SignedObject",
        "java.util.ServiceLoader",
        "javax.management.BadAttributeValueExpException",
        "javax.script.ScriptEngineManager",
        "org.apache.commons.beanutils.BeanComparator",
        "org.apache.commons.collections.functors.InvokerTransformer",
        "org.apache.commons.collections.keyvalue.TiedMapEntry",
        "org.apache.commons.collections.map.LazyMap",
        "org.apache.commons.collections4.comparators.TransformingComparator",
        "org.apache.commons.fileupload.disk.DiskFileItem",
        "org.codehaus.groovy.runtime.ConvertedClosure",
        "org.hibernate.engine.spi.TypedValue",
        "org.mozilla.javascript.NativeError",
        "org.python.core.PyFunction",
        "org.springframework.beans.factory.support.AutowireUtils$ObjectFactoryDelegatingInvocationHandler",
        "org.springframework.core.SerializableTypeWrapper$MethodInvokeTypeProvider",
        "sun.reflect.annotation.AnnotationInvocationHandler",
        "sun.rmi.server.UnicastRef",
      })
  void aClassOfAChainIsRefusedByItsNameInBothForms(String name) {
    Consumer<Output> gadget = out -> object(out, name, Map.of("map", 0, "iMethodName", "exec"));
    refused(Stored.byHand(gadget));
    refused(
        Stored.byHand(
            out -> {
              out.writeVarInt(36, true); // HashSet
              out.writeVarInt(1, true);
              out.writeVarInt(1, true);
              gadget.accept(out);
            }));
    refused(
        Stored.byHand( // a field that its class does not have
            out -> {
              description(out, "S", Samples.Node.class.getName(), List.of("gone"));
              out.writeVarInt(1, true);
              gadget.accept(out);
            }));
    refused(Stored.byHand(out -> description(out, "A", "[L" + name + ";", null)));
    refused(Stored.byHand(out -> description(out, "E", name, null)));
    refused(stream(name));
  }

  /** An object of the Kryo form, of which nobody needs to have the class. */
  private static void object(Output out, String name, Map<String, Object> fields) {
    description(out, "S", name, List.copyOf(fields.keySet()));
    out.writeVarInt(1, true);
    for (Object value : fields.values()) {
      if (value instanceof String text) {
        out.writeVarInt(2, true);
        text(out, text);
      } else {
        out.writeVarInt(0, true);
      }
    }
  }

  private static void description(
      Output out, String kind, String name, @Nullable List<String> fields) {
    Output description = new Output(256, -1);
    description.writeByte(kind.charAt(0));
    text(description, name);
    if (fields != null) {
      description.writeVarInt(fields.size(), true);
      for (String field : fields) {
        description.writeByte('L');
        text(description, field);
      }
    }
    out.writeVarInt(1, true);
    out.writeVarInt(description.position(), true);
    out.writeBytes(description.toBytes());
  }

  private static void text(Output out, String ascii) {
    out.writeVarInt(ascii.length() << 1, true);
    out.writeBytes(ascii.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }

  /** The same in the Java form: an object without fields. */
  private static EncodedValue stream(String name) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.write(new byte[] {2, 0, 0, 0, 0, 0});
      out.writeInt(0xACED0005);
      out.writeShort(0x7372);
      out.writeUTF(name);
      out.writeLong(1);
      out.write(new byte[] {2, 0, 0, 0x78, 0x70});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Stored.sealed(bytes.toByteArray());
  }
}
