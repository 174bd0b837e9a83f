package io.sojourn.codec;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** The class loader of an application of one version: its classes are compiled from source here. */
final class Compiled extends ClassLoader {

  private static final Pattern NAME = Pattern.compile("(?:class|record|enum|interface)\\s+(\\w+)");

  private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

  /**
   * One for all: most of the time of a small compilation goes into opening the JDK and the jars.
   */
  private static final JavaFileManager FILES = COMPILER.getStandardFileManager(null, null, null);

  private static final Map<List<String>, Map<String, byte[]>> COMPILED = new HashMap<>();

  /** Names that this loader has been asked for, whoever could answer. */
  final List<String> asked = new ArrayList<>();

  private final Map<String, byte[]> classes;

  private Compiled(Map<String, byte[]> classes) {
    super(Compiled.class.getClassLoader());
    this.classes = classes;
  }

  /** Compiles sources of package {@code shop}, one type each, without the package line. */
  static Compiled of(String... sources) {
    synchronized (COMPILED) {
      return new Compiled(COMPILED.computeIfAbsent(List.of(sources), Compiled::compile));
    }
  }

  private static Map<String, byte[]> compile(List<String> sources) {
    Map<String, ByteArrayOutputStream> out = new HashMap<>();
    JavaFileManager files =
        new ForwardingJavaFileManager<>(FILES) {
          @Override
          public JavaFileObject getJavaFileForOutput(
              Location location,
              String name,
              JavaFileObject.Kind kind,
              @Nullable FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("memory:///" + name), kind) {
              @Override
              public OutputStream openOutputStream() {
                ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                out.put(name, bytes);
                return bytes;
              }
            };
          }
        };
    List<JavaFileObject> units = new ArrayList<>();
    for (String source : sources) {
      Matcher name = NAME.matcher(source);
      if (!name.find()) {
        throw new IllegalArgumentException(source);
      }
      units.add(
          new SimpleJavaFileObject(
              URI.create("memory:///shop/" + name.group(1) + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
              return "package shop; import java.util.*; import java.io.*; public " + source;
            }
          });
    }
    // Without a class path: to look through its jars takes half of the time.
    List<String> options = List.of("-proc:none", "-Xlint:none", "-nowarn", "-classpath", "");
    if (!COMPILER.getTask(null, files, null, options, null, units).call()) {
      throw new IllegalArgumentException("Does not compile: " + String.join("\n", sources));
    }
    Map<String, byte[]> classes = new HashMap<>();
    out.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
    return classes;
  }

  /** The class files, by name. */
  Map<String, byte[]> classes() {
    return classes;
  }

  /** Another application of the same classes. */
  Compiled again() {
    return new Compiled(classes);
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    asked.add(name);
    return super.loadClass(name, resolve);
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    byte[] bytes = classes.get(name);
    if (bytes == null) {
      throw new ClassNotFoundException(name);
    }
    return defineClass(name, bytes, 0, bytes.length);
  }

  /** What the static method {@code make} of this class returns. */
  Object make(String simpleName) {
    try {
      return loadClass("shop." + simpleName).getMethod("make").invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(simpleName, e);
    }
  }

  JavaCodec javaCodec() {
    return new JavaCodec(this, ClassFilter.of("shop.**"));
  }

  KryoCodec codec() {
    return new KryoCodec(this, ClassFilter.of("shop.**"));
  }
}
