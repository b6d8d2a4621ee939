"""Project in, plan out, and the safety net."""
