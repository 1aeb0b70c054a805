from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.health_status import HealthStatus, check_health_status
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.problems import Problems
    from ..models.services import Services


T = TypeVar("T", bound="Health")


@_attrs_define
class Health:
    """State of the gateway and of the services behind it.

    Example:
        {'status': 'ready', 'services': {'registry': 'serving', 'recognizer': 'serving', 'trainer': 'serving'}}

    """

    status: HealthStatus
    """ `alive`: the process answers; `ready`: all services serve. """
    services: Services | Unset = UNSET
    """ For each service `serving`, `not-serving`, or the gRPC status of the failed check. """
    problems: Problems | Unset = UNSET
    """ For each service with problems, sentences for the operator: the store or the part that does not work, and
    what to do. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status: str = self.status

        services: dict[str, Any] | Unset = UNSET
        if not isinstance(self.services, Unset):
            services = self.services.to_dict()

        problems: dict[str, Any] | Unset = UNSET
        if not isinstance(self.problems, Unset):
            problems = self.problems.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
            }
        )
        if services is not UNSET:
            field_dict["services"] = services
        if problems is not UNSET:
            field_dict["problems"] = problems

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.problems import Problems  # noqa: PLC0415
        from ..models.services import Services  # noqa: PLC0415

        d = dict(src_dict)
        status = check_health_status(d.pop("status"))

        _services = d.pop("services", UNSET)
        services: Services | Unset
        if isinstance(_services, Unset):
            services = UNSET
        else:
            services = Services.from_dict(_services)

        _problems = d.pop("problems", UNSET)
        problems: Problems | Unset
        if isinstance(_problems, Unset):
            problems = UNSET
        else:
            problems = Problems.from_dict(_problems)

        health = cls(
            status=status,
            services=services,
            problems=problems,
        )

        health.additional_properties = d
        return health

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
