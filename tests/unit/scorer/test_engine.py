"""One client's row: merged in any order, told before written, opened once, closed in time."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.score.ledger import order_days
from common.score.model import Features, score_on
from common.score.policy import Policy
from common.told import Closed, Opened, Scored
from common.wire import image_of
from scorer.engine import Forgotten, Rules, merge, reassess_many
from scorer.rows import Row
from tests.unit.scorer.histories import BEGIN, CLIENT, Story, at, erasure, journals, order, removal

RULES = Rules(Policy(), generation=1)


def story_of(*days: int) -> Story:
    """A client with one order on each of some days, each heard on its day."""
    story = Story(RULES)
    for number, day in enumerate(days, start=1):
        story.hear(order(number, number, day), at(day))
    return story


def kinds(outcomes):
    return [type(outcome).__name__ for outcome in outcomes]


def test_two_orders_make_a_client_active_and_due_on_the_crossing_day():
    """A second order-day gives a crossing day, and the row is due on it."""
    story = story_of(0, 20)
    scored = story.told[-1]
    assert isinstance(scored, Scored)
    assert scored.state == "active"
    assert story.row.due == scored.crossing_day
    assert msgspec.json.decode(scored.merged) == [["order/1", 1], ["order/2", 2]]


def test_a_tick_opens_the_episode_once_with_its_evidence():
    """On the crossing day a tick opens the episode; later ticks of the silence say nothing more."""
    story = story_of(0, 20)
    crossing = story.row.due
    assert crossing is not None
    day = crossing - at(0).day
    assert story.tick(at(day - 1)) == []
    opened, scored = story.tick(at(day))
    assert isinstance(opened, Opened)
    assert isinstance(scored, Scored)
    assert opened.episode_id == scored.episode_id == f"{CLIENT}-{at(20).day}"
    assert opened.as_of == at(day).now
    assert opened.crossing_day == crossing
    assert opened.cause == "score"
    assert [e.orders for e in opened.evidence] == [((1, 1),), ((2, 2),)]
    assert opened.value < 60.0
    assert [kinds(story.tick(at(d))) for d in range(day + 1, day + 60)] == [[]] * 59


def test_events_never_open():
    """Late orders may show a client at risk, but only a tick opens."""
    story = Story(RULES)
    for number, day in enumerate((0, 20), start=1):
        story.hear(order(number, number, day), at(100))
    assert kinds(story.told) == ["Scored", "Scored"]
    assert story.told[-1].state == "at_risk"
    assert kinds(story.tick(at(100))) == ["Opened", "Scored"]


def test_an_order_closes_the_episode_and_begins_a_new_silence():
    """A counted order tells the end of the silence before it, then the new score."""
    story = story_of(0, 20)
    story.tick(at(story.row.due - at(0).day))
    closed, scored = story.hear(order(3, 3, 100), at(100))
    assert isinstance(closed, Closed)
    assert (closed.episode_id, closed.reason) == (f"{CLIENT}-{at(20).day}", "order")
    assert scored.episode_id is None
    assert scored.state == "active"
    assert not story.row.open


def test_a_silence_that_crossed_is_closed_flag_or_no_flag():
    """The flag may have been lost between the alert and the row: the end is told all the same."""
    story = story_of(0, 20)
    assert story.row.crossing_day <= at(120).day
    assert kinds(story.hear(order(3, 3, 120), at(120))) == ["Closed", "Scored"]


def test_a_silence_that_had_not_crossed_needs_no_end():
    """An order before the crossing day closes nothing."""
    assert kinds(story_of(0, 20, 25).told) == ["Scored"] * 3


def test_a_correction_that_takes_the_last_order_back_ends_its_episode():
    """When the last counted order is removed, its silence never was: data closed it, no order."""
    story = story_of(0, 20, 40)
    story.tick(at(story.row.due - at(0).day))
    closed, scored = story.hear(removal(3, 9), at(120))
    assert (closed.episode_id, closed.reason) == (f"{CLIENT}-{at(40).day}", "score")
    assert scored.episode_id is None


def test_late_data_above_the_exit_closes_and_below_it_does_not():
    """Between entry and exit an open episode stays; above the exit late data ends it."""
    story = story_of(0, 20)
    day = story.row.due - at(0).day
    story.tick(at(day))
    (stays,) = story.hear(order(4, 4, 20, amount="0.01"), at(day))
    assert stays.episode_id is not None
    for number in range(5, 25):
        told = story.hear(order(number, number, number - 5), at(day))
        if kinds(told)[0] == "Closed":
            assert told[0].reason == "score"
            assert told[1].score > told[1].exit
            assert told[1].episode_id is None
            return
        assert told[0].score <= told[0].exit
        assert told[0].episode_id is not None
    pytest.fail("no amount of late orders closed the episode")


def test_a_silence_too_long_is_at_risk_whatever_its_score():
    """A regular's score falls late: after silence_max days the episode opens, and stays open."""
    rules = Rules(Policy(rho=0.01), generation=1)
    story = Story(rules)
    for number in range(1, 11):
        story.hear(order(number, number, number * 10), at(number * 10))
    day = 100 + rules.policy.silence_max_days
    assert story.tick(at(day - 1)) == []
    opened, scored = story.tick(at(day))
    assert opened.cause == "silence"
    assert scored.score > scored.exit
    told = story.hear(order(50, 50, 5), at(day + 1))
    assert kinds(told) == ["Scored"]
    assert told[0].episode_id == opened.episode_id


def test_a_client_lapsed_when_first_seen_opens_no_episode():
    """Old history is no news: whoever is lapsed already gets no episode, and is not due."""
    story = Story(RULES)
    for number, day in enumerate((0, 20), start=1):
        story.hear(order(number, number, day), at(300))
    assert story.told[-1].state == "lapsed"
    assert story.row.due is None
    assert kinds(story.tick(at(300))) == []


@pytest.mark.parametrize("days", [(), (5,)])
def test_clients_below_two_order_days_open_nothing(days):
    """No orders and one order have no crossing day, hence no episode."""
    story = story_of(*days)
    told = [o for day in range(6, 260) for o in story.tick(at(day))]
    assert [k for k in kinds(told) if k != "Scored"] == []


def test_the_lapse_is_told():
    """On the lapse day a tick emits the new state, and then nothing is due any more."""
    story = story_of(0, 20)
    story.tick(at(story.row.due - at(0).day))
    (scored,) = story.tick(at(story.row.due - at(0).day))
    assert scored.state == "lapsed"
    assert scored.episode_id is not None
    assert story.row.due is None


def test_a_future_order_counts_from_its_day_on():
    """An order dated ahead waits; the tick of the day before it takes it into the features."""
    story = story_of(0, 20)
    story.hear(order(3, 3, 40), at(21))
    assert story.told[-1].features.n == 2
    assert story.row.due == at(39).day
    (scored,) = story.tick(at(39))
    assert scored.features.n == 3
    assert scored.features.last_day == at(40).day


def test_an_erased_client_is_forgotten_and_its_episode_closed():
    """Erasure closes the open episode, leaves a tombstone and nothing to do."""
    story = story_of(0, 20)
    story.tick(at(story.row.due - at(0).day))
    closed, forgotten = story.hear(erasure(90), at(100))
    assert (closed.reason, forgotten) == ("erased", Forgotten(CLIENT))
    assert story.row.due is None
    assert story.row.ledger.orders == {}
    assert story.hear(order(1, 1, 0), at(101)) == []


def test_a_generation_that_begins_to_speak_ends_what_ended_in_its_silence():
    """The silence that an order ended unheard is ended anew; one that still stands is not."""
    heard = story_of(0, 20, 100)
    told = reassess_many([(CLIENT, heard.row)], at(100), RULES, takes_over=True)
    ends = [(one.episode_id, one.reason) for one in told if isinstance(one, Closed)]
    assert (f"{CLIENT}-{at(20).day}", "order") in ends
    assert (f"{CLIENT}-{at(100).day}", "score") in ends
    silent = story_of(0, 20)
    crossed = at(silent.row.due - at(0).day)
    told = reassess_many([(CLIENT, silent.row)], crossed, RULES, takes_over=True)
    standing = f"{CLIENT}-{at(20).day}"
    assert all(one.episode_id != standing for one in told if isinstance(one, Closed))
    gone = story_of(0, 20)
    gone.hear(erasure(90), at(100))
    told = reassess_many([(CLIENT, gone.row)], at(100), RULES, takes_over=True)
    assert [one.reason for one in told if isinstance(one, Closed)] == ["erased"]


def test_a_recreated_client_lives_again():
    """Events above the erasure's version belong to a new client under the old id."""
    story = story_of(0, 20)
    story.hear(erasure(90), at(30))
    (scored,) = story.hear(order(9, 91, 31), at(31))
    assert (scored.state, scored.features.n) == ("one_order", 1)


@given(st.data())
def test_shuffles_and_duplicates_end_in_the_same_row_and_the_same_episode(data):
    """Whatever the order of arrival: one ledger, one score, and one episode after one tick."""
    journal = data.draw(journals())
    again = data.draw(st.permutations(journal + journal[::2]))
    day = data.draw(st.integers(380, 700))
    one, other = Story(RULES), Story(RULES)
    for event in journal:
        one.hear(event, at(day))
    for event in again:
        other.hear(event, at(day))
    endings = []
    for story in (one, other):
        story.assess(at(day))
        story.tick(at(day))
        endings.append(story)
    assert one.row.ledger.orders == other.row.ledger.orders
    assert one.row.ledger.version == other.row.ledger.version
    assert one.row.ledger.merged == other.row.ledger.merged
    assert one.told[-1] == other.told[-1]
    assert one.row == other.row
    opened = [{o.episode_id for o in story.told if isinstance(o, Opened)} for story in endings]
    assert opened[0] == opened[1]


@given(st.data())
def test_a_crossing_opens_exactly_once_however_often_ticks_come(data):
    """Over a silence of many days with any ticks there is at most one opening per episode id."""
    journal = data.draw(journals())
    story = Story(RULES)
    for event in journal:
        story.hear(event, at(0))
    days = sorted(data.draw(st.lists(st.integers(1, 700), min_size=1, max_size=40)))
    for day in days:
        story.tick(at(day))
    ids = [o.episode_id for o in story.told if isinstance(o, Opened)]
    assert len(ids) == len(set(ids))


@given(st.data())
def test_every_opened_episode_is_closed_before_the_next_one(data):
    """However events and ticks mix, at most one episode of a client is open at any time."""
    story = Story(RULES)
    day = 0
    for event in data.draw(journals()):
        day += data.draw(st.integers(0, 60))
        story.hear(event, at(day))
        story.tick(at(day))
    open_ids: set[str] = set()
    for outcome in story.told:
        if isinstance(outcome, Opened):
            open_ids.add(outcome.episode_id)
            assert len(open_ids) == 1
        elif isinstance(outcome, Closed):
            open_ids.discard(outcome.episode_id)
        elif isinstance(outcome, Scored) and outcome.episode_id is not None:
            assert outcome.episode_id in open_ids


def test_a_new_policy_assesses_anew_but_never_opens():
    """Re-crossing under another policy moves the crossing day; opening is left to the ticks."""
    story = story_of(0, 20)
    story.rules = Rules(Policy(version=2, rho=0.95), generation=1)
    told = story.assess(at(40))
    assert kinds(told) == ["Scored"]
    assert told[0].policy_version == 2
    assert told[0].state == "at_risk"
    assert story.row.due <= at(40).day


def test_the_value_at_risk_is_the_decayed_spend_of_the_day():
    """The opening carries spend decayed to its own day, and the score of that day."""
    story = story_of(0, 20)
    opened, scored = story.tick(at(story.row.due - at(0).day))
    features = scored.features
    silence = scored.day - features.last_day
    assert opened.value == pytest.approx(features.value * 2 ** (-silence / 180))
    assert opened.score == scored.score


def test_amounts_keep_their_cents():
    """Money is counted in whole cents, without a detour over floats."""
    row = Row()
    merge(row, image_of(order(1, 1, 0, amount="0.29")), BEGIN.tzinfo)
    merge(row, image_of(order(2, 2, 1, amount="99999999999999.99")), BEGIN.tzinfo)
    assert [d.cents for d in order_days(row.ledger, at(2).day, 1)] == [29, 9_999_999_999_999_999]


def test_the_score_is_the_library_s():
    """What is told is exactly what the shared library computes from the told features."""
    scored = story_of(0, 20, 37).told[-1]
    told = scored.features
    features = Features(told.frequency, told.value, told.n, told.first_day, told.last_day)
    assert scored.score == score_on(features, scored.day, RULES.policy)
