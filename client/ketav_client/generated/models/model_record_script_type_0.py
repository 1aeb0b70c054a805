from typing import Literal, cast

ModelRecordScriptType0 = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_model_record_script_type_0(value: str) -> ModelRecordScriptType0:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ModelRecordScriptType0, value)
