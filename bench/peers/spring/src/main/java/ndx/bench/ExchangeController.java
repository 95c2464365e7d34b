package ndx.bench;

import io.lettuce.core.api.async.RedisAsyncCommands;
import jakarta.validation.Valid;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Profile;
import org.springframework.http.HttpStatus;
import org.springframework.kafka.requestreply.KafkaReplyTimeoutException;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** No thread waits: Redis counts, the record is sent, its reply completes the response. */
@RestController
@Profile("gateway")
class ExchangeController {
  /** Never reached: the count is the work, a refusal would spoil the figure. */
  private static final long RATE_PER_SECOND_MAX = 1_000_000;

  private final ReplyingKafkaTemplate<String, Question, Answer.Reply> adapter;
  private final RedisAsyncCommands<String, String> redis;
  private final String topic;
  private final String service;

  ExchangeController(
      ReplyingKafkaTemplate<String, Question, Answer.Reply> adapter,
      RedisAsyncCommands<String, String> redis,
      @Value("${REQUEST_TOPIC}") String topic,
      @Value("${EXCHANGE_PATH}") String path) {
    this.adapter = adapter;
    this.redis = redis;
    this.topic = topic;
    this.service = path.replace("/v1/services/", "");
  }

  @PostMapping("${EXCHANGE_PATH}")
  CompletableFuture<Answer> exchange(@Valid @RequestBody Question question, @AuthenticationPrincipal Jwt token) {
    var client = token.getClaimAsString("client_id");
    return count(client)
        .thenCompose(counted -> adapter.sendAndReceive(new ProducerRecord<>(topic, client, question)))
        .thenCompose(
            reply ->
                redis.incr("audit:" + topic + ":" + client)
                    .thenApply(audited -> new Answer(service, "answered", reply.value())))
        .toCompletableFuture();
  }

  private CompletionStage<Boolean> count(String client) {
    var key = "rate:" + client + ":" + Instant.now().getEpochSecond();
    return redis.incr(key)
        .thenCompose(
            count -> {
              if (count > RATE_PER_SECOND_MAX) throw new ResponseStatusException(HttpStatus.TOO_MANY_REQUESTS);
              return count == 1
                  ? redis.expire(key, Duration.ofSeconds(2))
                  : CompletableFuture.completedFuture(true);
            });
  }

  @ExceptionHandler(KafkaReplyTimeoutException.class)
  @ResponseStatus(HttpStatus.GATEWAY_TIMEOUT)
  void tellLate() {}
}
