"""Which error of the client asks for what."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from cdc_relay.transactions import STEP_ATTEMPTS, Aborted, Broken, Fenced, Transactions


class FakeProducer:
    """A producer whose every step may fail as it is told."""

    def __init__(self):
        self.errors: list[KafkaError] = []
        self.calls: list[str] = []
        self.beats = False

    def _step(self, name):
        self.calls.append(name)
        if self.errors:
            raise KafkaException(self.errors.pop(0))

    def init_transactions(self, _timeout):
        self._step("init")

    def begin_transaction(self):
        self._step("begin")

    def produce(self, *_record):
        self._step("produce")

    def send_offsets_to_transaction(self, _offsets, _group, _timeout):
        self._step("offsets")

    def commit_transaction(self, _timeout):
        self._step("commit")

    def abort_transaction(self, _timeout):
        self._step("abort")


def error(code, *, retriable=False, abort=False, fatal=False):
    """Make an error with the client's flags."""
    return KafkaError(code, "reason", fatal=fatal, retriable=retriable, txn_requires_abort=abort)


def made(fake):
    """Make transactions on a producer made of answers."""

    def make(complain):
        fake.complain = complain
        return fake

    return Transactions(make, lambda: fake.calls.append("beat") if fake.beats else None)


@pytest.fixture
def fake():
    """A producer made of answers."""
    return FakeProducer()


def test_a_name_is_taken_over_at_the_start(fake):
    """Making the transactions fences a former holder before anything is read."""
    made(fake)
    assert fake.calls == ["init"]


def test_offsets_are_committed_with_the_records(fake):
    """The offsets join the transaction, then it is committed: in this order."""
    transactions = made(fake)
    transactions.begin()
    transactions.commit([], None)
    assert fake.calls == ["init", "begin", "offsets", "commit"]


def test_a_step_that_may_be_repeated_is_repeated_a_bounded_number_of_times(fake):
    """Retriable errors are tried again, and not for ever."""
    transactions = made(fake)
    fake.errors = [error(KafkaError._TIMED_OUT, retriable=True)]
    transactions.commit([], None)
    assert fake.calls[1:] == ["offsets", "offsets", "commit"]
    fake.errors = [error(KafkaError._TIMED_OUT, retriable=True)] * STEP_ATTEMPTS
    with pytest.raises(Broken):
        transactions.commit([], None)


def test_an_abortable_error_asks_for_going_back(fake):
    """The transaction is lost, the client is not."""
    transactions = made(fake)
    fake.errors = [error(KafkaError.UNKNOWN_MEMBER_ID, abort=True)]
    with pytest.raises(Aborted):
        transactions.commit([], None)


@pytest.mark.parametrize(
    "code",
    [KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.FENCED_INSTANCE_ID],
)
def test_a_fenced_process_must_stop(fake, code):
    """Whoever lost its name is told so in plain words, whatever the flags say."""
    transactions = made(fake)
    fake.errors = [error(code, fatal=True)]
    with pytest.raises(Fenced, match="another process took over"):
        transactions.commit([], None)


def test_a_record_refused_by_an_ended_client_tells_why_it_ended(fake):
    """A produce says no more than that the client has ended; that it was fenced shows elsewhere."""
    transactions = made(fake)
    fake.errors = [error(KafkaError._FATAL), error(KafkaError._FENCED, fatal=True)]
    with pytest.raises(Fenced, match="another process took over"):
        transactions.send([("topic", b"value", b"key", 0, None)])


def test_an_error_without_a_flag_is_the_end(fake):
    """Nothing unknown is swallowed."""
    transactions = made(fake)
    fake.errors = [error(KafkaError.TOPIC_AUTHORIZATION_FAILED)]
    with pytest.raises(Broken, match="TOPIC_AUTHORIZATION_FAILED"):
        transactions.begin()


@pytest.mark.parametrize("code", [KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT])
def test_a_producer_that_lost_its_brokers_is_replaced_before_the_next_transaction(fake, code):
    """It might wait for a coordinator that it never finds again, without end."""
    transactions = made(fake)
    transactions.begin()
    fake.complain(error(code))
    fake.complain(error(code))
    transactions.begin()
    transactions.begin()
    assert fake.calls == ["init", "begin", "init", "begin", "begin"]


def test_other_complaints_replace_nothing(fake):
    """Only lost brokers cast doubt on a producer."""
    transactions = made(fake)
    fake.complain(error(KafkaError._TIMED_OUT))
    transactions.begin()
    assert fake.calls == ["init", "begin"]


def test_every_attempt_is_a_sign_of_life(fake):
    """Steps repeated against a slow broker are no hang: each beats before it waits."""
    transactions = made(fake)
    fake.beats = True
    fake.errors = [error(KafkaError._TIMED_OUT, retriable=True)]
    transactions.abort()
    assert fake.calls[1:] == ["beat", "abort", "beat", "abort"]
