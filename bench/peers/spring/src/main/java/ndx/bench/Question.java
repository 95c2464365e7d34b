package ndx.bench;

import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;

/** The question of the bench; officer and procedure may be missing. */
public record Question(
    @NotNull @Size(min = 1, max = 100) String purpose,
    @Size(min = 1, max = 50) String procedure,
    @Size(min = 1, max = 50) String officer,
    @NotNull @Valid Identity request) {

  public record Identity(
      @NotNull @Pattern(regexp = "[0-9]{12}") String personalId,
      @NotNull @Size(min = 2, max = 100) String fullName,
      @NotNull @Pattern(regexp = "[0-9]{4}(-[0-9]{2}-[0-9]{2})?") String dateOfBirth) {}
}
