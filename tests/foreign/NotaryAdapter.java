// A notary's adapter in Java: one file, Kafka's own client and Jackson, nothing of NDX. Written from services/README.md, “An
// adapter in another language”, to show that the page is enough; `ndx adapter check` holds it to the wire. Started as it is:
//   java -Dfile.encoding=UTF-8 -cp '<folder of kafka-clients and jackson-databind>/*' NotaryAdapter.java <contracts> <register file>
// NDX_KAFKA_BROKERS names the brokers. Each step of the page is a method here.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class NotaryAdapter {
  static final String REQUESTS = "ndx.request.notary";
  static final String REPLIES = "ndx.reply.notary";
  static final int REPLY_PARTITIONS = 8;
  static final String DEAD_LETTERS = "ndx.dead-letter";
  static final String CONTENT_TYPE = "application/cloudevents+json";
  static final String SOURCE = "/adapter/notary/" + ProcessHandle.current().pid();
  /** A request that came onto its topic later than this after it was begun is void. */
  static final long PUBLISH_WITHIN_MS = 15_000;
  static final Set<String> KINDS = Set.of("sale", "gift", "will");
  static final ObjectMapper json =
      new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  record Contract(String type, String hash, long deadlineMs) {}

  record Request(String id, String type, String contract, String trace, long deadlineMs, int replyPartition,
      List<String> fields, JsonNode data) {}

  record Verdict(String outcome, String code, ObjectNode data) {}

  static class Unreadable extends Exception {
    Unreadable(String what) {
      super(what);
    }
  }

  final Map<String, Contract> contracts = new HashMap<>();
  final Register register;
  final KafkaProducer<String, String> writer;
  /** Since when this process holds its partitions: what was written before may have been in another's hands. */
  volatile long heldSinceMs = Long.MAX_VALUE;

  public static void main(String[] args) throws Exception {
    new NotaryAdapter(Path.of(args[0]), Path.of(args[1])).run(System.getenv("NDX_KAFKA_BROKERS"));
  }

  NotaryAdapter(Path contractsDir, Path registerFile) throws Exception {
    for (String name : List.of("deed-record", "deed-registration")) addContract(contractsDir, name);
    register = new Register(registerFile);
    writer = new KafkaProducer<>(
        Map.of("bootstrap.servers", System.getenv("NDX_KAFKA_BROKERS"), "acks", "all"),
        new StringSerializer(), new StringSerializer());
  }

  /** The hash: the first 16 bytes of SHA-256 over the contract as JSON with sorted names and no white space, base64url. */
  void addContract(Path dir, String name) throws Exception {
    Map<?, ?> contract = json.readValue(dir.resolve("notary/" + name + ".v1.json").toFile(), Map.class);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(json.writeValueAsBytes(contract));
    String hash = Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, 16));
    String type = REQUESTS + "." + name + ".v1";
    contracts.put(type, new Contract(type, hash, ((Number) contract.get("deadlineMs")).longValue()));
  }

  /** At least once: what is committed was replied to, and the broker has the reply. What goes wrong with that ends the process. */
  void run(String brokers) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(32);
    try (var reader = new KafkaConsumer<>(readerSettings(brokers), new StringDeserializer(), new StringDeserializer())) {
      Thread main = Thread.currentThread();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> {
        reader.wakeup();
        try {
          main.join(5_000);
        } catch (InterruptedException ignored) {
          Thread.currentThread().interrupt();
        }
      }));
      reader.subscribe(List.of(REQUESTS), new ConsumerRebalanceListener() {
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
          heldSinceMs = System.currentTimeMillis();
        }

        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}
      });
      while (true) {
        List<Future<?>> underWay = new ArrayList<>();
        for (List<ConsumerRecord<String, String>> chain : byKey(reader.poll(Duration.ofMillis(500))).values())
          underWay.add(pool.submit(() -> {
            for (var record : chain) handle(record);
            return null;
          }));
        for (Future<?> one : underWay) one.get();
        commit(reader);
      }
    } catch (WakeupException stopped) {
      System.out.println("stopped");
    } finally {
      pool.shutdown();
      writer.close();
    }
  }

  /** The partitions may have gone to another meanwhile: what was not committed is delivered again, to whoever has them. */
  static void commit(KafkaConsumer<String, String> reader) {
    try {
      reader.commitSync();
    } catch (CommitFailedException | RetriableException error) {
      System.out.println("not committed: " + error.getClass().getSimpleName());
    }
  }

  static Map<String, Object> readerSettings(String brokers) {
    return Map.of(
        "bootstrap.servers", brokers,
        "group.id", "adapter-notary",
        "auto.offset.reset", "earliest",
        "enable.auto.commit", false,
        "allow.auto.create.topics", false,
        "session.timeout.ms", 6_000,
        "heartbeat.interval.ms", 2_000);
  }

  /** Records of one key one after the other, all others side by side. */
  static Map<String, List<ConsumerRecord<String, String>>> byKey(Iterable<ConsumerRecord<String, String>> records) {
    Map<String, List<ConsumerRecord<String, String>>> chains = new LinkedHashMap<>();
    for (var record : records) {
      String key = record.key() != null ? record.key() : record.partition() + "/" + record.offset();
      chains.computeIfAbsent(key, any -> new ArrayList<>()).add(record);
    }
    return chains;
  }

  void handle(ConsumerRecord<String, String> record) throws Exception {
    try {
      Request request = read(record);
      Verdict verdict = decide(request, record.timestamp());
      System.out.println(request.id() + " " + verdict.outcome());
      reply(request, verdict);
    } catch (Unreadable error) {
      giveUp(record);
    }
  }

  static Request read(ConsumerRecord<String, String> record) throws Unreadable {
    if (record.value() == null) throw new Unreadable("no value");
    JsonNode event;
    try {
      event = json.readTree(record.value());
    } catch (IOException error) {
      throw new Unreadable("the value is not JSON");
    }
    if (event == null || !"1.0".equals(event.path("specversion").asText())) throw new Unreadable("no CloudEvent");
    String id = header(record, "kafka_correlationId");
    if (!id.equals(event.path("id").asText())) throw new Unreadable("two exchanges");
    long partition = number(header(record, "kafka_replyPartition"));
    boolean isOurs = header(record, "kafka_replyTopic").equals(REPLIES) && partition < REPLY_PARTITIONS;
    if (!isOurs) throw new Unreadable("the reply is wanted where we do not write");
    if (!event.path("data").isObject()) throw new Unreadable("no data");
    Header trace = record.headers().lastHeader("traceparent");
    return new Request(id, event.path("type").asText(), event.path("ndxcontract").asText(),
        trace == null ? "" : new String(trace.value(), StandardCharsets.UTF_8),
        number(header(record, "ndx-deadline")), (int) partition,
        List.of(event.path("ndxfields").asText().split(",")), event.path("data"));
  }

  static String header(ConsumerRecord<String, String> record, String name) throws Unreadable {
    Header header = record.headers().lastHeader(name);
    if (header == null) throw new Unreadable("no header " + name);
    return new String(header.value(), StandardCharsets.UTF_8);
  }

  static long number(String text) throws Unreadable {
    if (!text.matches("[0-9]{1,15}")) throw new Unreadable("not a number");
    return Long.parseLong(text);
  }

  Verdict decide(Request request, long writtenMs) throws IOException {
    if (isOver(request)) return writtenMs < heldSinceMs ? failed("UNANSWERED") : new Verdict("expired", null, null);
    Contract contract = contracts.get(request.type());
    if (contract == null || !contract.hash().equals(request.contract())) return failed("CONTRACT_UNKNOWN");
    if (writtenMs > request.deadlineMs() - contract.deadlineMs() + PUBLISH_WITHIN_MS)
      return new Verdict("expired", null, null);
    boolean isEffect = contract.type().contains("registration");
    if (isEffect ? !isRegistration(request.data()) : !isQuestion(request.data())) return failed("REQUEST_INVALID");
    Verdict verdict = isEffect ? enter(request) : find(request);
    return isOver(request) ? failed("HANDLER_TIMEOUT") : verdict;
  }

  static boolean isOver(Request request) {
    return System.currentTimeMillis() >= request.deadlineMs();
  }

  static Verdict failed(String code) {
    return new Verdict("failed", code, null);
  }

  /** The contract's schema, by hand; a library for JSON Schema 2020-12 does as well. */
  static boolean isQuestion(JsonNode data) {
    JsonNode holder = data.path("holder");
    return hasOnly(data, Set.of("deed", "holder"))
        && data.path("deed").isTextual() && data.path("deed").asText().matches("[0-9]{4}-[0-9]{6}")
        && (holder.isMissingNode() || isText(holder, 2, 100));
  }

  static boolean isRegistration(JsonNode data) {
    return hasOnly(data, Set.of("reference", "kind"))
        && isText(data.path("reference"), 4, 40)
        && data.path("kind").isTextual() && KINDS.contains(data.path("kind").asText());
  }

  /** JSON Schema counts characters, not UTF-16 units. */
  static boolean isText(JsonNode node, int least, int most) {
    if (!node.isTextual()) return false;
    int length = node.asText().codePointCount(0, node.asText().length());
    return least <= length && length <= most;
  }

  static boolean hasOnly(JsonNode data, Set<String> names) {
    for (Iterator<String> members = data.fieldNames(); members.hasNext();)
      if (!names.contains(members.next())) return false;
    return true;
  }

  static Verdict find(Request request) {
    ObjectNode reply = json.createObjectNode();
    boolean isThere = request.data().path("deed").asText().equals("2026-000123");
    reply.put("found", isThere);
    if (isThere) reply.put("kind", "sale").put("holder", "Trần Thị Mai Phương");
    return answered(reply, request);
  }

  Verdict enter(Request request) throws IOException {
    String deed = register.enter(request.data().path("reference").asText(), request.data().path("kind").asText());
    if (deed == null) return failed("entered-differently");
    return answered(json.createObjectNode().put("deed", deed), request);
  }

  /** Only what was granted leaves. */
  static Verdict answered(ObjectNode reply, Request request) {
    return new Verdict("answered", null, reply.retain(request.fields()));
  }

  void reply(Request request, Verdict verdict) throws Exception {
    ObjectNode event = event(request.id(), request.type().replace(REQUESTS, REPLIES));
    event.put("ndxcontract", request.contract()).put("ndxoutcome", verdict.outcome());
    if (verdict.code() != null) event.put("ndxcode", verdict.code());
    if (verdict.data() != null) event.set("data", verdict.data());
    var record = new ProducerRecord<String, String>(REPLIES, request.replyPartition(), null, json.writeValueAsString(event));
    addHeader(record, "kafka_correlationId", request.id());
    addHeader(record, "traceparent", request.trace());
    addHeader(record, "content-type", CONTENT_TYPE);
    writer.send(record).get();
  }

  /** Where the record is and why it was given up; never what is in it. */
  void giveUp(ConsumerRecord<String, String> record) throws Exception {
    long nowMs = System.currentTimeMillis();
    String id = "notary-" + record.partition() + "-" + record.offset();
    Header exchange = record.headers().lastHeader("kafka_correlationId");
    String exchangeId = exchange == null ? "" : new String(exchange.value(), StandardCharsets.UTF_8);
    boolean isKnown = exchangeId.matches("[0-9a-f-]{36}");
    ObjectNode data = json.createObjectNode();
    if (isKnown) data.put("exchangeId", exchangeId);
    data.put("provider", "notary").put("topic", record.topic()).put("partition", record.partition());
    data.put("offset", String.valueOf(record.offset())).put("attempts", 0).put("code", "REQUEST_UNREADABLE");
    data.put("firstMs", nowMs).put("lastMs", nowMs);
    ObjectNode event = event(id, DEAD_LETTERS + ".given-up");
    event.set("data", data);
    var letter = new ProducerRecord<String, String>(DEAD_LETTERS, json.writeValueAsString(event));
    if (isKnown) addHeader(letter, "kafka_correlationId", exchangeId);
    addHeader(letter, "content-type", CONTENT_TYPE);
    writer.send(letter).get();
    System.out.println(id + " given up");
  }

  static ObjectNode event(String id, String type) {
    return json.createObjectNode().put("specversion", "1.0").put("id", id).put("source", SOURCE).put("type", type)
        .put("time", Instant.now().toString()).put("datacontenttype", "application/json");
  }

  static void addHeader(ProducerRecord<String, String> record, String name, String value) {
    record.headers().add(name, value.getBytes(StandardCharsets.UTF_8));
  }

  /** The deeds that were entered, a line each, on the disk before anybody is told. One reference has one deed. */
  static class Register {
    final Map<String, String[]> deeds = new LinkedHashMap<>();
    final FileChannel file;

    Register(Path path) throws IOException {
      if (Files.exists(path)) for (String line : Files.readAllLines(path)) keep(line.split("\t"));
      file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      write("\n"); // behind a line that a crash has cut
    }

    void write(String line) throws IOException {
      file.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
      file.force(true);
    }

    /** Null when the reference was entered as another kind. */
    synchronized String enter(String reference, String kind) throws IOException {
      String[] known = deeds.get(reference);
      if (known != null) return known[1].equals(kind) ? known[2] : null;
      String deed = "2026-" + String.format("%06d", 124 + deeds.size());
      String coded = Base64.getUrlEncoder().encodeToString(reference.getBytes(StandardCharsets.UTF_8));
      write(coded + "\t" + kind + "\t" + deed + "\n");
      deeds.put(reference, new String[] {reference, kind, deed});
      return deed;
    }

    /** A line that a crash has cut was told to nobody. */
    void keep(String[] parts) {
      if (parts.length < 3 || parts[2].length() < 11) return;
      parts[0] = new String(Base64.getUrlDecoder().decode(parts[0]), StandardCharsets.UTF_8);
      deeds.put(parts[0], parts);
    }
  }
}
