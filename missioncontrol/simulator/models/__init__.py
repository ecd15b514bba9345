"""How DD-1's subsystems behave: believable first-order physics, not an engineering model.

Each model is a dataclass whose fields are its whole state, so that a snapshot is
``asdict``. ``step`` moves it on, ``telemetry`` says what its sensors show.
"""
