"""The script of the FMU that the tests build: a tank that empties through a hole and is filled by random showers."""

from pythonfmu import Fmi2Causality, Fmi2Slave, Fmi2Variability, Integer, Real, String


class NoisyTank(Fmi2Slave):
    """All that it needs to go on is in registered variables, which pythonfmu serialises."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.level, self.outflow, self.area, self.seed, self.draws, self.note = 1.0, 0.0, 2.0, 1, 0, ""
        fixed = {"causality": Fmi2Causality.parameter, "variability": Fmi2Variability.fixed}
        self.register_variable(Real("level", causality=Fmi2Causality.output, description="Water level"))
        self.register_variable(Real("outflow", causality=Fmi2Causality.output))
        self.register_variable(Real("area", **fixed))
        self.register_variable(Integer("seed", **fixed))
        self.register_variable(Integer("draws", causality=Fmi2Causality.local, variability=Fmi2Variability.discrete))
        self.register_variable(String("note", causality=Fmi2Causality.local, variability=Fmi2Variability.discrete))

    def do_step(self, current_time, step_size):
        # A linear congruential generator, because its state is one integer.
        draw = self.seed
        for _ in range(self.draws + 1):
            draw = (1103515245 * draw + 12345) % 2**31
        self.draws = (self.draws + 1) % 50
        self.outflow = 0.001 * max(self.level, 0.0) ** 0.5
        self.level += step_size * (0.002 * draw / 2**31 - self.outflow) / self.area
        return True
