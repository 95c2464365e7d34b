package ndx.bench;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Profile;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.messaging.handler.annotation.SendTo;
import org.springframework.stereotype.Component;

/** The adapter: looks the person up in a map and answers on the topic that the request's header names. */
@Component
@Profile("adapter")
class PopulationListener {
  /** With the spellings that count as the person's. */
  record Person(String personalId, String dateOfBirth, List<String> names) {}

  private final Map<String, Person> people = new HashMap<>();

  PopulationListener(@Value("${PEOPLE_FILE}") File file, ObjectMapper mapper) throws IOException {
    for (var person : mapper.readValue(file, new TypeReference<List<Person>>() {})) {
      people.put(person.personalId(), person);
    }
  }

  @KafkaListener(topics = "${REQUEST_TOPIC}")
  @SendTo
  Answer.Reply verify(Question question) {
    var asked = question.request();
    var person = people.get(asked.personalId());
    return new Answer.Reply(
        person != null
            && person.dateOfBirth().equals(asked.dateOfBirth())
            && person.names().contains(asked.fullName()));
  }
}
