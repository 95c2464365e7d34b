package ndx.bench;

/** What the gateway answers, and the adapter's part of it. */
public record Answer(String service, String outcome, Reply reply) {

  public record Reply(boolean matched) {}
}
