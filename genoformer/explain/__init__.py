"""Why a model says what it says: what each base of the input contributes."""
