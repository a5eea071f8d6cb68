/** Every number the core decides with that is not configuration, with its reason. Durations in milliseconds. */
import { type Duration, days, minutes, ms, seconds } from "../kit/time.ts";

/** A subject is suspected after this many of its periods without a beat. */
export const SILENT_PERIODS = 3;
/** Measured jitter may stretch that wait by this many deviations (as in RFC 6298), */
export const JITTER_DEVIATIONS = 4;
/** but by this many periods at most, so that a lossy path still tells of a true death in time. */
export const STRETCH_PERIODS_MAX = 3;
/** What another has said by asking counts this long for a doubt of one's own; whoever still doubts asks more often. */
export const DOUBT_HOLDS: Duration = seconds(1);
/** Who asks about a subject again within this time, though it was heard here meanwhile, has a problem of its own with it. */
export const LASTING_DOUBT: Duration = seconds(3);
/** A subject counts as overdue after this many periods: others wait with their messages for its verdict. */
export const OVERDUE_PERIODS = 1.6;

/** How long the answer of a living observer may delay a verdict. */
export const ANSWER_PATIENCE: Duration = ms(300);
/** A question without an answer is repeated after this long where packets get lost, then after twice as long each time, */
export const ASK_AGAIN: Duration = ms(25);
/** after this long where none are: an answer that is late comes from a node that has much to do; */
export const ASK_AGAIN_LOSSLESS: Duration = ms(80);
/** up to this, which is also the pace at which those are asked again who have answered; */
export const ASK_EVERY: Duration = ms(100);
/** less often where they hear nothing either, and no probe of theirs was answered: were that to change, they would say so; */
export const ASK_SILENT_EVERY: Duration = ms(300);
/** Who hears nobody at all asks the others only from this long after its doubt on: it is likely cut off itself. */
export const ASK_DEAF_AFTER: Duration = ms(200);
/** slower where more subjects than this are in doubt at once, */
export const DOUBTS_AT_FULL_PACE = 2;
/** and begun anew at this pace while someone else hears the subject. */
export const LINK_PROBLEM_ROUND: Duration = seconds(1);
/** A probe is given this long, plus four round trips of that path as its kernel answers, before a verdict goes without its answer. */
export const PROBE_GRACE: Duration = ms(40);
export const PROBE_GRACE_MAX: Duration = ms(300);
/** A path that lately lost more than this share of its beats is a lossy one: */
export const LOSSY_ABOVE = 0.06;
/** there, and where only few agree, answers and probes get this long, so that a few lost packets don't make a verdict, */
export const LOSSY_PATIENCE: Duration = seconds(1);
/** and the host is probed again at this pace meanwhile. */
export const PROBE_AGAIN: Duration = ms(100);
/** The first probe is repeated sooner, on any path: nobody knows yet whether it loses packets. PROBE_GRACE leaves time for an answer. */
export const PROBE_SOON: Duration = ms(15);
/** An answered probe outweighs later silent ones for this long: they may have been lost. */
export const PROBE_HOLDS: Duration = ms(600);
/** After this long a probe that saw nothing says so. */
export const PROBE_PATIENCE: Duration = ms(400);
/** Of the observers of a death one enters it; each further one in line does so after this much longer, */
export const WORD_EVERY: Duration = ms(50);
/** and all of them from this place on. */
export const WORD_PLACES_MAX = 4;
/** So many of those in line to send hear at once of what is entered about an absence, and of what is sent; */
export const FIRST_IN_LINE = 3;
/** those who have no part in it hear this much later of all that has come of it by then. */
export const LATER_NEWS: Duration = ms(200);
/** A host that accepts connections but stays mute is given this long before its daemon counts as hung. */
export const MUTE_PATIENCE: Duration = seconds(5);
/** A host whose daemon is down is probed again at this pace: it may have died altogether. */
export const REPROBE_EVERY: Duration = seconds(2);
/** A node that wakes later than this after the time it asked for is short of processor time: it reads late what others sent. */
export const LATE_LEAST: Duration = ms(20);
/** Its patience with the others is longer by this many times that delay (they may be as late with sending), */
export const LATE_COUNTS = 2;
/** and less so over this time. The idea is Lifeguard's (Dadgar et al., 2018): who is slow itself doubts others less. */
export const LATE_FADES: Duration = seconds(2);
/** Waking this late means that this node itself was stopped; what it failed to hear does not count. */
export const STALL_AFTER: Duration = ms(250);
/** For this long after a stall a node answers "unknown" and reaches no verdict. */
export const STALL_RECOVERY: Duration = ms(700);
/** How long to wait for one's own uplink to be looked at before assuming that it works. */
export const UPLINK_PATIENCE: Duration = seconds(2);

/** With its uplink seen to work, a node waits this many periods before it says that others are unreachable. */
export const BEATS_AFTER_UPLINK = 1.5;
/** A node that is cut off looks at its uplink again at this pace. */
export const ISOLATION_RECHECK: Duration = seconds(1);
/** Once it is no longer cut off, the others have this long to be heard before it doubts them. */
export const RETURN_PATIENCE: Duration = seconds(3);

/** What takes seconds (problems of links, absences, other addresses) is looked at this often. */
export const REVIEW_EVERY: Duration = ms(200);
/** Once one node does not hear another that others hear, it says so after this long; */
export const LINK_PROBLEM_CONFIRM: Duration = seconds(3);
/** whoever is not heard says so in its stead after this long, if no word of it has come through by then. */
export const ON_BEHALF_AFTER: Duration = seconds(5);
/** Heard again for this long, it is over. */
export const LINK_PROBLEM_OVER: Duration = seconds(1);
/** Shorter times without a network are nobody's business. */
export const CUT_OFF_LEAST: Duration = seconds(2);
/** While all is well the uplink is looked at this often, to learn what it shows then. */
export const UPLINK_LEARN_EVERY: Duration = minutes(10);
/** The addresses of a peer besides the one in use are looked at this often; */
export const PATH_CHECK_EVERY: Duration = seconds(30);
/** after one that did not answer, this often; */
export const PATH_CHECK_AGAIN: Duration = seconds(2);
/** and it is lost when it has not answered for this long. */
export const PATH_CONFIRM: Duration = seconds(10);
/** Who reaches no such address of anyone may be at fault itself, and gives the others this long to say so. */
export const PATH_DEFERENCE: Duration = seconds(5);

/** A peer is dialled again after this long without a word, though its session seems open. */
export const STALE_SESSION: Duration = ms(1500);
/** Over a healthy datagram path every this many-th beat also goes over the stream, to see that it lives. */
export const STREAM_BEAT_EVERY = 25;
/** A stream that carried nothing for this long, while datagrams come, is replaced. */
export const STALE_STREAM: Duration = seconds(14);
/** The node with the higher id leaves dialling to the other for this long. */
export const DIAL_DEFERENCE: Duration = seconds(1);
export const DIAL_RETRY_MIN: Duration = ms(200);
export const DIAL_RETRY_MAX: Duration = seconds(2);
/** One that this node does not watch, whose death is in the ledger, is believed dead again this long after a word of it. */
export const HEARSAY_AGAIN: Duration = seconds(5);
/** Nodes that do not watch one another send a beat this often, so that the session and its keys are known to work. */
export const QUIET_BEAT_EVERY: Duration = seconds(30);
/** Every this many-th of these also goes over the stream. */
export const QUIET_STREAM_EVERY = 3;
/** Where beats come so rarely, datagrams count as passing for this long after one came, */
export const QUIET_DATAGRAM_SPAN: Duration = seconds(75);
/** a session without a word for this long is replaced, */
export const STALE_QUIET_SESSION: Duration = seconds(105);
/** and so is one whose stream carried nothing for this long. */
export const STALE_QUIET_STREAM: Duration = minutes(5);
export const QUIET_DIAL_RETRY_MAX: Duration = seconds(30);
/** Up to this many members each has a session with all others; beyond, with its neighbours and theirs. */
export const SESSIONS_WITH_ALL_MAX = 110;
/** Whom a node begins to watch without ever having heard it has this long to be reached. */
export const ACQUAINTANCE: Duration = seconds(2);
/** Who was asked about another this often without an answer, for ANSWER_PATIENCE, is doubted itself. */
export const ASKED_IN_VAIN_MAX = 5;
/** Ledgers that have differed for this long are compared: what is on its way arrives sooner. */
export const SYNC_AFTER: Duration = ms(800);
/** A peer asks for a newer roster, or for ledger differences, at most this often. */
export const SYNC_EVERY: Duration = seconds(2);

/** A newer roster is asked for from one peer at a time; after this long without it, from the next. */
export const ROSTER_PATIENCE: Duration = ms(500);

/** Urgent datagrams are repeated at doubling intervals from here; */
export const RESEND_FIRST: Duration = ms(80);
/** from here where none are lost: an acknowledgement that is late comes from a node that has much to do, and each repetition is more of it; */
export const RESEND_FIRST_LOSSLESS: Duration = ms(180);
/** Twice before the next in line goes (TURN_EVERY), once at the least: it must know who sends. */
export const RESEND_FIRST_MAX: Duration = ms(500);
/** until acknowledged or this old; then anti-entropy takes over. */
export const RESEND_FOR: Duration = seconds(3);
/** At most this many unacknowledged; beyond, the oldest give way to anti-entropy. */
export const OUTBOX_MAX = 8192;

/** A message waits this long at most for other subjects that are overdue or undecided. */
export const SETTLE: Duration = ms(400);
/** A recovery waits this long while others that were told down are still missing. */
export const SETTLE_RECOVERY: Duration = seconds(1);
/** While an outage goes on, what follows a message within this long waits for more to come, */
export const BURST: Duration = seconds(10);
/** but no longer than this. */
export const SETTLE_BURST: Duration = seconds(3);
/** Sensors that cross their limits together are told together: each is a record of its own, and what has been past a limit for half a minute can wait for the others. */
export const SETTLE_HEAT: Duration = seconds(2);
/** Paths of one network that works again are found one by one, at this pace at most. */
export const SETTLE_LINKS: Duration = seconds(4);
/** A note hurries least: those whom one thing befell all write theirs. */
export const SETTLE_NOTES: Duration = seconds(3);
/** A recovery waits this long at most for the ledgers of those who have just met again: one note for both sides. */
export const SETTLE_REUNION: Duration = seconds(4);
/** Ledgers that have differed for this long have met again, however rare the beats: turns are counted from then, and must not be over. */
export const REUNION_LEAST: Duration = ms(700);
/** It waits this long at most to hear the returned host itself, and with it that host's own account. */
export const SETTLE_ACCOUNT: Duration = ms(1500);
/** Once it has started, a node gives the others this long to be heard: they may have told what it owed, or be about to tell. */
export const RESUME_PATIENCE: Duration = seconds(3);
/** What is over for longer than this is not told any more. */
export const NOTE_FRESH: Duration = days(1);
/** Each further rank waits this much longer for a sign of the ones before it. */
export const TURN_EVERY: Duration = ms(600);
/** A link counts as broken in the order of turns for this long after it was mended: by then all have heard of it. */
export const MENDED_HOLDS: Duration = seconds(5);
/** A recovery hurries less, and whoever has just returned hears of it later than the others: */
export const TURN_EVERY_RESOLVED: Duration = ms(1500);
/** How long an intent holds the others back, unless renewed. */
export const INTENT_LEASE: Duration = seconds(3);
/** Retries of one turn, then the next rank goes. */
export const TURN_ATTEMPTS = 3;
export const RETRY_FIRST: Duration = ms(500);
/** A receiver that asks for a longer wait gets the next node in line instead. */
export const TURN_WAIT_MAX: Duration = seconds(5);
/** Whoever tries again after a pause of its own says so this long before it sends. */
export const ANNOUNCED_FOR: Duration = ms(200);
/** After a lost turn a node tries again at doubling intervals up to this. */
export const RETRY_MAX: Duration = minutes(5);
/** A channel counts as proven for this long after a delivery. */
export const PROVEN_FOR: Duration = days(7);
/** A heartbeat without a delivered ping for this many of its periods is a problem: two suffice to be taken over. */
export const HEARTBEAT_PATIENCE = 3;
/** No outcome of a delivery after this long counts as a temporary failure. */
export const DELIVERY_LOST: Duration = seconds(45);

/** The wall clock went otherwise than the monotonic one by more than this: it was set, or the host slept. */
export const CLOCK_STEP: Duration = seconds(1);
/** A beat whose echo took longer says nothing of its sender's clock: it, or the echo, has been waiting. */
export const CLOCK_ROUND_TRIP_MAX: Duration = seconds(2);
/** A clock this far from the mesh's time is off: what bears its time misleads. */
export const CLOCK_OFF_FROM: Duration = seconds(30);
/** One that was is right again within this. */
export const CLOCK_RIGHT_WITHIN: Duration = seconds(10);
/** The time a node goes by, its own clock being off, is set anew once it is this far from the mesh's. */
export const CLOCK_DRIFT: Duration = seconds(1);
/** A clock is called off after this long, */
export const CLOCK_CONFIRM: Duration = seconds(5);
/** by its own node after this long, if nobody else has, */
export const CLOCK_CONFIRM_OWN: Duration = seconds(15);
/** and right again after this long. */
export const CLOCK_OVER: Duration = seconds(3);

/** Ledger records are kept this long, */
export const LEDGER_KEEP: Duration = days(30);
/** and this many at most; the oldest settled incidents go first. */
export const LEDGER_MAX = 4000;
/** Peers' records are refused beyond this, whatever they are about: a summary must be able to name all. */
export const LEDGER_FULL = 8000;
/** Open incidents that peers' records may add up to; honest ones are two a member at most. */
export const OPEN_MAX = 512;
/** Maintenances and silences in force at once. */
export const MUTES_MAX = 200;
/** Keys in one summary; the receiver refuses more. */
export const SUMMARY_MAX = 8192;
/** Incidents in one message; more wait for the next. Receivers refuse records with more than 128. */
export const MESSAGE_INCIDENTS_MAX = 100;
/** Records in one write when all of them are written. */
export const REWRITE_RECORDS = 500;
/** While the disk fails it is tried again at this pace, also when there is nothing new to write. */
export const STORE_RETRY: Duration = seconds(30);
/**
 * A life is at most this much later than the one known: a claim far beyond (nobody restarts a million
 * times) would push a node's incarnation to where it cannot be raised any more.
 */
export const LIFE_LEAP_MAX = 1_000_000;
/** A peer's period is believed within these bounds: at 0 each of its beats would be late, at a year none. */
export const PERIOD_LEAST: Duration = ms(20);
export const PERIOD_MOST: Duration = seconds(10);
/** The ledger is looked through for records past their time this often. */
export const PRUNE_EVERY: Duration = minutes(10);
/** Characters of records that go into one urgent message: a datagram holds some 1150 in all. */
export const PARCEL_CHARS = 900;
/** Records in one message between peers. */
export const LEDGER_NEWS_MAX = 50;
/** Characters of a message's text. */
export const TEXT_MAX = 3500;
/** Characters of a receiver's reply that are kept. */
export const DETAIL_MAX = 200;

/** Nodes that do not hear a host themselves ask one of the others for its readings this often, the next one each time. */
export const READINGS_GOSSIP_EVERY: Duration = seconds(10);
/** They are sent what is this many passes later than what they hold, */
export const READINGS_GOSSIP_PASSES = 3;
/** or later at all and this old: nothing newer may ever come. */
export const READINGS_GOSSIP_SETTLED: Duration = seconds(30);
/** Passes in one message; more wait for the next. */
export const PASSES_PER_MESSAGE_MAX = 16;
/** Members that are asked about at once. */
export const READINGS_HELD_MAX = 1024;
/** Readings of a host are of interest after its death if they are this recent. */
export const FELT_WITHIN: Duration = minutes(5);
/** A sensor that was past critical this shortly before the silence may be its cause. */
export const CAUSE_WITHIN: Duration = seconds(60);
