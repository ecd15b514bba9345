"""The state table of FOP-1, as data.

Pure. Each row is an event, each of the six cells the actions to take in a state
and the state to go to; None marks a pair that cannot occur.

Source: CCSDS 232.1-B-2 section 5.3, table 5-1, where the rows and states have
the same numbers. Rows that only set a parameter (E36 to E39) or that the lower
layer's ready flags would lead to (E22, E26, E28, E41, E43, E45) are not needed:
the layer below takes every frame at once.
"""

from __future__ import annotations

from enum import Enum, IntEnum, auto
from typing import Final


class State(IntEnum):
    ACTIVE = 1
    RETRANSMIT_WITHOUT_WAIT = 2
    RETRANSMIT_WITH_WAIT = 3
    INITIALISING_WITHOUT_BC_FRAME = 4
    INITIALISING_WITH_BC_FRAME = 5
    INITIAL = 6


class Event(Enum):
    """What can happen; the words say when, in the order of the table's columns."""

    E1 = "all acknowledged, none newly"
    E2 = "all acknowledged, some newly"
    E3 = "all acknowledged, yet wait"
    E4 = "all acknowledged, yet retransmit"
    E5 = "some unacknowledged, none newly acknowledged"
    E6 = "some unacknowledged, some newly acknowledged"
    E7 = "some unacknowledged, wait without retransmit"
    E101 = "retransmit with a limit of one transmission, some newly acknowledged"
    E102 = "retransmit with a limit of one transmission, none newly acknowledged"
    E8 = "retransmit, some newly acknowledged"
    E9 = "retransmit and wait, some newly acknowledged"
    E10 = "retransmit, below the limit"
    E11 = "retransmit and wait, below the limit"
    E12 = "retransmit, limit reached"
    E103 = "retransmit and wait, limit reached"
    E13 = "N(R) outside NN(R) to V(S)"
    E14 = "lockout"
    E15 = "invalid CLCW"
    E16 = "timer, below the limit, timeout type 0"
    E104 = "timer, below the limit, timeout type 1"
    E17 = "timer, limit reached, timeout type 0"
    E18 = "timer, limit reached, timeout type 1"
    E19 = "request for an AD frame, wait queue empty"
    E20 = "request for an AD frame, wait queue full"
    E21 = "request for a BD frame"
    E23 = "initiate AD without CLCW check"
    E24 = "initiate AD with CLCW check"
    E25 = "initiate AD with Unlock"
    E27 = "initiate AD with Set V(R)"
    E29 = "terminate AD"
    E30 = "resume, not suspended"
    E31 = "resume, suspended in state 1"
    E32 = "resume, suspended in state 2"
    E33 = "resume, suspended in state 3"
    E34 = "resume, suspended in state 4"
    E35 = "set V(S)"
    E42 = "the lower layer failed"


class Action(Enum):
    """The actions of section 5.2; each ALERT names its reason."""

    ACCEPT = auto()
    REJECT = auto()
    CONFIRM = auto()
    CONFIRM_INITIATION = auto()
    INITIALISE = auto()
    RESUME = auto()
    SET_VS = auto()
    TRANSMIT_UNLOCK = auto()
    TRANSMIT_SET_VR = auto()
    TRANSMIT_BD = auto()
    RELEASE_BC = auto()
    ADD_TO_WAIT_QUEUE = auto()
    LOOK_FOR_FDU = auto()
    REMOVE_ACKNOWLEDGED = auto()
    INITIATE_AD_RETRANSMISSION = auto()
    RETRANSMIT_BC = auto()
    START_TIMER = auto()
    CANCEL_TIMER = auto()
    SUSPEND = auto()
    ALERT_SYNCH = auto()
    ALERT_CLCW = auto()
    ALERT_LIMIT = auto()
    ALERT_NNR = auto()
    ALERT_LOCKOUT = auto()
    ALERT_T1 = auto()
    ALERT_TERM = auto()
    ALERT_LLIF = auto()


Cell = tuple[tuple[Action, ...], State]
Row = tuple[Cell | None, Cell | None, Cell | None, Cell | None, Cell | None, Cell | None]

_S1, _S2, _S3, _S4, _S5, _S6 = State
_A = Action

# The cells, named for what they do and, where they differ by it, the next state.
_IGNORE_1: Final[Cell] = ((), _S1)
_IGNORE_2: Final[Cell] = ((), _S2)
_IGNORE_3: Final[Cell] = ((), _S3)
_IGNORE_5: Final[Cell] = ((), _S5)
_BEGUN: Final[Cell] = ((_A.CONFIRM_INITIATION, _A.CANCEL_TIMER), _S1)
_BEGUN_BC: Final[Cell] = ((_A.CONFIRM_INITIATION, _A.RELEASE_BC, _A.CANCEL_TIMER), _S1)
_ACK: Final[Cell] = ((_A.REMOVE_ACKNOWLEDGED, _A.LOOK_FOR_FDU), _S1)
_ACK_ALL: Final[Cell] = ((_A.REMOVE_ACKNOWLEDGED, _A.CANCEL_TIMER, _A.LOOK_FOR_FDU), _S1)
_ACK_WAIT: Final[Cell] = ((_A.REMOVE_ACKNOWLEDGED,), _S3)
_ACK_LIMIT: Final[Cell] = ((_A.REMOVE_ACKNOWLEDGED, _A.ALERT_LIMIT), _S6)
_ACK_AGAIN: Final[Cell] = (
    (_A.REMOVE_ACKNOWLEDGED, _A.INITIATE_AD_RETRANSMISSION, _A.LOOK_FOR_FDU),
    _S2,
)
_AGAIN_1: Final[Cell] = ((_A.INITIATE_AD_RETRANSMISSION, _A.LOOK_FOR_FDU), _S1)
_AGAIN_2: Final[Cell] = ((_A.INITIATE_AD_RETRANSMISSION, _A.LOOK_FOR_FDU), _S2)
_AGAIN_BC: Final[Cell] = ((_A.RETRANSMIT_BC,), _S5)
_SUSPEND: Final[Cell] = ((_A.SUSPEND,), _S6)
_SYNCH: Final[Cell] = ((_A.ALERT_SYNCH,), _S6)
_CLCW: Final[Cell] = ((_A.ALERT_CLCW,), _S6)
_NNR: Final[Cell] = ((_A.ALERT_NNR,), _S6)
_LOCKOUT: Final[Cell] = ((_A.ALERT_LOCKOUT,), _S6)
_LIMIT: Final[Cell] = ((_A.ALERT_LIMIT,), _S6)
_T1: Final[Cell] = ((_A.ALERT_T1,), _S6)
_QUEUE: Final = (_A.ADD_TO_WAIT_QUEUE, _A.LOOK_FOR_FDU)
_RESUME: Final = (_A.ACCEPT, _A.RESUME, _A.CONFIRM)
_REJECT: Final = (_A.REJECT,)


def _in_every_state(actions: tuple[Action, ...]) -> Row:
    return (
        (actions, _S1),
        (actions, _S2),
        (actions, _S3),
        (actions, _S4),
        (actions, _S5),
        (actions, _S6),
    )


def _clcw_row(s1: Cell, s2: Cell, s3: Cell, s4: Cell | None = None, s5: Cell | None = None) -> Row:
    """Return the row of a CLCW, which the initial state ignores.

    While AD is being initiated nothing is unacknowledged, so most rows have no
    cells there.
    """
    return (s1, s2, s3, s4, s5, ((), _S6))


def _timer_row(s1: Cell, s2: Cell, s3: Cell, s4: Cell, s5: Cell) -> Row:
    """Return the row of the timer, which never runs in the initial state."""
    return (s1, s2, s3, s4, s5, None)


def _only_initial(actions: tuple[Action, ...], to: State) -> Row:
    """Return the row of a directive that every state but the initial one rejects."""
    s1, s2, s3, s4, s5, _ = _in_every_state(_REJECT)
    return (s1, s2, s3, s4, s5, (actions, to))


# fmt: off
TABLE: Final[dict[Event, Row]] = {
    #                        S1              S2              S3              S4        S5
    Event.E1:   _clcw_row(_IGNORE_1,      _SYNCH,         _SYNCH,         _BEGUN,   _BEGUN_BC),
    Event.E2:   _clcw_row(_ACK_ALL,       _ACK_ALL,       _ACK_ALL),
    Event.E3:   _clcw_row(_CLCW,          _CLCW,          _CLCW,          _CLCW,    _CLCW),
    Event.E4:   _clcw_row(_SYNCH,         _SYNCH,         _SYNCH,         _SYNCH,   _IGNORE_5),
    Event.E5:   _clcw_row(_IGNORE_1,      _SYNCH,         _SYNCH),
    Event.E6:   _clcw_row(_ACK,           _ACK,           _ACK),
    Event.E7:   _clcw_row(_CLCW,          _CLCW,          _CLCW),
    Event.E101: _clcw_row(_ACK_LIMIT,     _ACK_LIMIT,     _ACK_LIMIT),
    Event.E102: _clcw_row(_LIMIT,         _LIMIT,         _LIMIT),
    Event.E8:   _clcw_row(_ACK_AGAIN,     _ACK_AGAIN,     _ACK_AGAIN),
    Event.E9:   _clcw_row(_ACK_WAIT,      _ACK_WAIT,      _ACK_WAIT),
    Event.E10:  _clcw_row(_AGAIN_2,       _IGNORE_2,      _AGAIN_2),
    Event.E11:  _clcw_row(_IGNORE_3,      _IGNORE_3,      _IGNORE_3),
    Event.E12:  _clcw_row(_IGNORE_2,      _IGNORE_2,      _IGNORE_2),
    Event.E103: _clcw_row(_IGNORE_3,      _IGNORE_3,      _IGNORE_3),
    Event.E13:  _clcw_row(_NNR,           _NNR,           _NNR,           _NNR,     _IGNORE_5),
    Event.E14:  _clcw_row(_LOCKOUT,       _LOCKOUT,       _LOCKOUT,       _LOCKOUT, _IGNORE_5),
    Event.E15:  _clcw_row(_CLCW,          _CLCW,          _CLCW,          _CLCW,    _CLCW),
    Event.E16:  _timer_row(_AGAIN_1,      _AGAIN_2,       _IGNORE_3,      _T1,      _AGAIN_BC),
    Event.E104: _timer_row(_AGAIN_1,      _AGAIN_2,       _IGNORE_3,      _SUSPEND, _AGAIN_BC),
    Event.E17:  _timer_row(_T1,           _T1,            _T1,            _T1,      _T1),
    Event.E18:  _timer_row(_SUSPEND,      _SUSPEND,       _SUSPEND,       _SUSPEND, _T1),
    Event.E19:  ((_QUEUE, _S1), (_QUEUE, _S2), ((_A.ADD_TO_WAIT_QUEUE,), _S3),
                 (_REJECT, _S4), (_REJECT, _S5), (_REJECT, _S6)),
    Event.E20:  _in_every_state(_REJECT),
    Event.E21:  _in_every_state((_A.ACCEPT, _A.TRANSMIT_BD)),
    Event.E23:  _only_initial((_A.ACCEPT, _A.INITIALISE, _A.CONFIRM), _S1),
    Event.E24:  _only_initial((_A.ACCEPT, _A.INITIALISE, _A.START_TIMER), _S4),
    Event.E25:  _only_initial((_A.ACCEPT, _A.INITIALISE, _A.TRANSMIT_UNLOCK), _S5),
    Event.E27:  _only_initial((_A.ACCEPT, _A.INITIALISE, _A.TRANSMIT_SET_VR), _S5),
    # In S6, too: a suspended service ends, and its frames are given back.
    Event.E29:  (((_A.ACCEPT, _A.ALERT_TERM, _A.CONFIRM), _S6),) * 6,
    Event.E30:  _in_every_state(_REJECT),
    Event.E31:  _only_initial(_RESUME, _S1),
    Event.E32:  _only_initial(_RESUME, _S2),
    Event.E33:  _only_initial(_RESUME, _S3),
    Event.E34:  _only_initial(_RESUME, _S4),
    Event.E35:  _only_initial((_A.ACCEPT, _A.SET_VS, _A.CONFIRM), _S6),
    Event.E42:  (((_A.ALERT_LLIF,), _S6),) * 6,
}
# fmt: on
