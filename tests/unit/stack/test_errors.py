"""What is shown of a part that failed."""

from pathlib import Path

from stack.errors import TAIL_LINES, PartFailed, tail


def test_the_last_lines_are_shown(tmp_path: Path):
    """The end of a log says what happened, not its start."""
    log = tmp_path / "log"
    log.write_text("".join(f"line {n}\n" for n in range(100)))
    shown = tail(log).splitlines()
    assert len(shown) == TAIL_LINES
    assert shown[-1] == "    line 99"


def test_stack_frames_do_not_push_out_what_was_said(tmp_path: Path):
    """Of a Java stack trace the exceptions are shown, not their frames."""
    log = tmp_path / "log"
    frames = "\tat kafka.Kafka.main(Kafka.scala)\n" * 50
    log.write_text(f"RuntimeException: the cause\n{frames}Caused by: more\n\t... 12 more\n")
    assert tail(log) == "    RuntimeException: the cause\n    Caused by: more"


def test_a_part_that_said_nothing_is_shown_to_have_said_nothing(tmp_path: Path):
    """No log and an empty one are told, too."""
    (tmp_path / "empty").touch()
    for log in (tmp_path / "empty", tmp_path / "none"):
        assert "nothing was logged" in str(PartFailed("the oven", "ended", log))
